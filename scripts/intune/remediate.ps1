# Intune remediation, remediation script: writes the removal plan to a folder where the help desk finds it.
#
# It removes nothing: what_to_do.md says in which order products are removed and what that needs. Intune then runs the
# detection script again, which reports the software until it is gone.
#
# References:
#   https://learn.microsoft.com/intune/intune-service/fundamentals/remediations

if ([Environment]::Is64BitOperatingSystem -and -not [Environment]::Is64BitProcess) {
    & "$env:SystemRoot\sysnative\WindowsPowerShell\v1.0\powershell.exe" -NoProfile -NonInteractive -ExecutionPolicy Bypass -File $PSCommandPath
    exit $LASTEXITCODE
}

# The executable, or a Python environment.
$phaseout = "$env:ProgramFiles\phaseout\phaseout.exe", "$env:ProgramFiles\phaseout\Scripts\phaseout.exe" |
    Where-Object { Test-Path -LiteralPath $_ } | Select-Object -First 1
$reports = "$env:ProgramFiles\phaseout\reports"  # not ProgramData: every user may create a junction there

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
