# Intune custom compliance, discovery script: one line of compressed JSON, judged by compliance_rules.json.
#
# References:
#   https://learn.microsoft.com/intune/intune-service/protect/compliance-custom-script

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
$found = @{
    PhaseoutRan              = [bool]($line -cmatch '^[A-Z]+ \(')
    PhaseoutNothingToReplace = -not ($line -cmatch '^REPLACE \(')
    PhaseoutEverythingSeen   = [bool]($line -cmatch '^[A-Z]+ \(all sources complete\)')
}
Write-Output ($found | ConvertTo-Json -Compress)
exit 0
