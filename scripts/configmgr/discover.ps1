# Configuration Manager configuration item, discovery script: one line, of data type String.
#
# Compliance rule: the value begins with "CLEAN (all sources complete)". An exit status other than 0 is a failed discovery,
# which Configuration Manager distinguishes from a machine that does not comply.
#
# References:
#   https://learn.microsoft.com/intune/configmgr/compliance/deploy-use/create-custom-configuration-items-for-windows-desktop-and-server-computers-managed-with-the-client

if ([Environment]::Is64BitOperatingSystem -and -not [Environment]::Is64BitProcess) {
    & "$env:SystemRoot\sysnative\WindowsPowerShell\v1.0\powershell.exe" -NoProfile -NonInteractive -ExecutionPolicy Bypass -File $PSCommandPath
    exit $LASTEXITCODE
}

# The executable, or a Python environment.
$phaseout = "$env:ProgramFiles\phaseout\phaseout.exe", "$env:ProgramFiles\phaseout\Scripts\phaseout.exe" |
    Where-Object { Test-Path -LiteralPath $_ } | Select-Object -First 1

$line = $null
try {
    $line = & $phaseout scan -f line --fail-on never 2>$null | Select-Object -Last 1
} catch {
    $line = $null
}
if (-not $line) {
    exit 1
}
Write-Output $line
exit 0
