# Scans, and writes the report to a share as HOST-YYYYMMDDTHHMMSSZ.csv.
#
#   powershell.exe -NoProfile -NonInteractive -ExecutionPolicy Bypass -File report_to_share.ps1 -Share \\server\phaseout$
#
# For a Configuration Manager package or the Group Policy task. It runs as SYSTEM, so the share must let the computer
# accounts (Domain Computers) create files; they need not read or change any. A report that cannot be delivered is not
# kept: the next scheduled run makes a new one. Exit status 0 if the report is on the share, otherwise 1.

param(
    [Parameter(Mandatory = $true)]
    [string]$Share
)

if ([Environment]::Is64BitOperatingSystem -and -not [Environment]::Is64BitProcess) {
    & "$env:SystemRoot\sysnative\WindowsPowerShell\v1.0\powershell.exe" -NoProfile -NonInteractive -ExecutionPolicy Bypass -File $PSCommandPath -Share $Share
    exit $LASTEXITCODE
}

# The executable, or a Python environment. If %ProgramFiles% is no whole path, nothing is run: the rest would name a
# folder of the current drive, which any user may make. (A slash is a whole path in PowerShell for Linux only.)
$phaseout = $null
if ("$env:ProgramFiles" -match '^([A-Za-z]:\\[^\\]|/)' -and (Split-Path -Path $env:ProgramFiles -IsAbsolute)) {
    $phaseout = "$env:ProgramFiles\phaseout\phaseout.exe", "$env:ProgramFiles\phaseout\Scripts\phaseout.exe" |
        Where-Object { Test-Path -LiteralPath $_ -PathType Leaf -ErrorAction SilentlyContinue } | Select-Object -First 1
}

# The invariant culture: in others the year may be 2569 or 1448.
$now = [DateTime]::UtcNow.ToString("yyyyMMdd'T'HHmmss'Z'", [Globalization.CultureInfo]::InvariantCulture)
$file = "$Share\$env:COMPUTERNAME-$now.csv"

$status = $null
try {
    & $phaseout scan -f csv -o $file --fail-on never 2>$null | Out-Null
    $status = $LASTEXITCODE
} catch {
    $status = $null
}
if ($status -eq 0 -or $status -eq 3) {
    Write-Output $file
    exit 0
}
Write-Output "phaseout could not run, or could not write $file"
exit 1
