# Detection script for phaseout as a Win32 app in Intune, and as an application in Configuration Manager.
#
# Exit status 0 with text on standard output means installed, exit status 0 without any text means not installed.
# Nothing may be written to standard error.
#
# References:
#   https://learn.microsoft.com/intune/intune-service/apps/apps-win32-add#step-4-detection-rules

$wanted = [version]'0.2.0'  # this release or a later one

if ([Environment]::Is64BitOperatingSystem -and -not [Environment]::Is64BitProcess) {
    & "$env:SystemRoot\sysnative\WindowsPowerShell\v1.0\powershell.exe" -NoProfile -NonInteractive -ExecutionPolicy Bypass -File $PSCommandPath
    exit $LASTEXITCODE
}

# The executable, or a Python environment.
$phaseout = "$env:ProgramFiles\phaseout\phaseout.exe", "$env:ProgramFiles\phaseout\Scripts\phaseout.exe" |
    Where-Object { Test-Path -LiteralPath $_ } | Select-Object -First 1

$said = $null
try {
    $said = & $phaseout --version 2>$null | Select-Object -Last 1
} catch {
    $said = $null
}
if ($said -match '^phaseout (\d+(\.\d+){1,3})' -and [version]$Matches[1] -ge $wanted) {
    Write-Output $said
}
exit 0
