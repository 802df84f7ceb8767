# Intune remediation, remediation script: leaves what is to be done where the help desk finds it.
#
# It removes nothing: which product goes first, with which password and after whose decision, is in what_to_do.md. Until
# the software is gone, the detection script that Intune runs again afterwards says so.
#
# References:
#   https://learn.microsoft.com/intune/intune-service/fundamentals/remediations

if ([Environment]::Is64BitOperatingSystem -and -not [Environment]::Is64BitProcess) {
    & "$env:SystemRoot\sysnative\WindowsPowerShell\v1.0\powershell.exe" -NoProfile -NonInteractive -ExecutionPolicy Bypass -File $PSCommandPath
    exit $LASTEXITCODE
}

# The executable, or an environment of Python.
$phaseout = "$env:ProgramFiles\phaseout\phaseout.exe", "$env:ProgramFiles\phaseout\Scripts\phaseout.exe" |
    Where-Object { Test-Path -LiteralPath $_ } | Select-Object -First 1
$reports = "$env:ProgramFiles\phaseout\reports"  # not ProgramData: there every user may lay a junction for us

$status = $null
try {
    $null = New-Item -ItemType Directory -Path $reports -Force -ErrorAction Stop
    & $phaseout scan -o "$reports\report.json" -o "$reports\what_to_do.md" --fail-on never 2>$null | Out-Null
    $status = $LASTEXITCODE
} catch {
    $status = $null
}
if ($status -eq 0 -or $status -eq 3) {
    Write-Output 'What is to be done: C:\Program Files\phaseout\reports\what_to_do.md'
    exit 0
}
Write-Output 'phaseout could not write its report'
exit 1
