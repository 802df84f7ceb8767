# Detection script for phaseout as a Win32 app in Intune, and as an application in Configuration Manager.
#
# Exit status 0 with text on standard output means installed, exit status 0 without any text means not installed.
# Nothing may be written to standard error.
#
# References:
#   https://learn.microsoft.com/intune/intune-service/apps/apps-win32-add#step-4-detection-rules

$wanted = [version]'0.2.0'  # this release or a later one

if ([Environment]::Is64BitOperatingSystem -and -not [Environment]::Is64BitProcess) {
    & "$(Split-Path -Path ([Environment]::SystemDirectory))\sysnative\WindowsPowerShell\v1.0\powershell.exe" -NoProfile -NonInteractive -ExecutionPolicy Bypass -File $PSCommandPath
    exit $LASTEXITCODE
}

# The executable, or a Python environment. If %ProgramFiles% is no whole path, nothing is run: the rest would name a
# folder of the current drive, which any user may make; so do dots and blanks. (A slash is a whole path in PowerShell
# for Linux only.)
$phaseout = $null
if ("$env:ProgramFiles" -match '^([A-Za-z]:(\\[^\\/:*?"<>|.\s]([^\\/:*?"<>|]*[^\\/:*?"<>|.\s])?)+\\?|/.+)$' -and (Split-Path -Path $env:ProgramFiles -IsAbsolute)) {
    $phaseout = "$env:ProgramFiles\phaseout\phaseout.exe", "$env:ProgramFiles\phaseout\Scripts\phaseout.exe" |
        Where-Object { Test-Path -LiteralPath $_ -PathType Leaf -ErrorAction SilentlyContinue } | Select-Object -First 1
}

$lines = @()
$status = $null
if ($phaseout) {
    try {
        $lines = @(& $phaseout --version 2>$null)
        $status = $LASTEXITCODE
    } catch {
        $status = $null
    }
}
$version = $null
# The second line names the rules, from 0.2.0 on.
$whole = $lines.Count -eq 1 -or ($lines.Count -eq 2 -and $lines[1] -cmatch '^rules ')
if ($status -eq 0 -and $whole -and $lines[0] -cmatch '^phaseout (\d+(\.\d+){1,3})$') {
    $version = $Matches[1] -as [version]  # none if a number is larger than it can hold
}
if ($version -and $version -ge $wanted) {
    Write-Output $lines[0]
}
exit 0
