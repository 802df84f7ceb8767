# Intune remediation, detection script. Intune shows its one line of output for the machine.
#
# Exit status 1, which starts the remediation script, only if something must be replaced; otherwise 0. If a scan did not
# see everything or could not run, the status is 0 as well, and the line says INCOMPLETE.
#
# References:
#   https://learn.microsoft.com/intune/intune-service/fundamentals/remediations

# By default Intune starts the 32-bit host, which sees another registry and another Program Files.
if ([Environment]::Is64BitOperatingSystem -and -not [Environment]::Is64BitProcess) {
    & "$env:SystemRoot\sysnative\WindowsPowerShell\v1.0\powershell.exe" -NoProfile -NonInteractive -ExecutionPolicy Bypass -File $PSCommandPath
    exit $LASTEXITCODE
}

# The executable, or a Python environment.
$phaseout = "$env:ProgramFiles\phaseout\phaseout.exe", "$env:ProgramFiles\phaseout\Scripts\phaseout.exe" |
    Where-Object { Test-Path -LiteralPath $_ } | Select-Object -First 1

$line = $null
try {
    $line = & $phaseout scan -f line --fail-on replace 2>$null | Select-Object -Last 1
} catch {
    $line = $null  # not installed, or not allowed to run
}
if (-not $line) {
    $line = 'INCOMPLETE (not everything seen) phaseout is not installed, or could not run'
}
Write-Output $line
if ($line -cmatch '^REPLACE \(') {
    exit 1
}
exit 0
