# Intune remediation, detection script: its one line of output is what Intune shows for the machine.
#
# Exit status 1, and with it the remediation script, only where something must be replaced. All else ends with 0, a
# scan that did not see everything or could not run included: its line says INCOMPLETE.
#
# References:
#   https://learn.microsoft.com/intune/intune-service/fundamentals/remediations

# The portal's default is the 32-bit host, which sees another registry and another Program Files.
if ([Environment]::Is64BitOperatingSystem -and -not [Environment]::Is64BitProcess) {
    & "$env:SystemRoot\sysnative\WindowsPowerShell\v1.0\powershell.exe" -NoProfile -NonInteractive -ExecutionPolicy Bypass -File $PSCommandPath
    exit $LASTEXITCODE
}

# The executable, or an environment of Python.
$phaseout = "$env:ProgramFiles\phaseout\phaseout.exe", "$env:ProgramFiles\phaseout\Scripts\phaseout.exe" |
    Where-Object { Test-Path -LiteralPath $_ } | Select-Object -First 1

$line = $null
try {
    $line = & $phaseout scan -f line --fail-on replace 2>$null | Select-Object -Last 1
} catch {
    $line = $null  # absent, or not allowed to run
}
if (-not $line) {
    $line = 'INCOMPLETE (not everything seen) phaseout is not installed, or could not run'
}
Write-Output $line
if ($line -cmatch '^REPLACE \(') {
    exit 1
}
exit 0
