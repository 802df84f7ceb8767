# Intune remediation, remediation script: writes the removal plan to a folder where the help desk finds it.
#
# It removes nothing: what_to_do.md says in which order products are removed and what that needs. Intune then runs the
# detection script again, which reports the software until it is gone. Exit status 0 if a scan ran; an earlier report is
# removed before it, so that nobody is sent to an old one.
#
# References:
#   https://learn.microsoft.com/intune/intune-service/fundamentals/remediations

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

if (-not $phaseout) {
    Write-Output 'phaseout is not installed: nothing was scanned'
    exit 1
}
$reports = "$env:ProgramFiles\phaseout\reports"  # not ProgramData: every user may create a junction there
$plan = "$reports\what_to_do.md"
$report = "$reports\report.json"

$status = $null
try {
    $null = New-Item -ItemType Directory -Path $reports -Force -ErrorAction Stop
    if (Test-Path -LiteralPath $reports -PathType Container) {
        foreach ($old in $plan, $report) {
            if (Test-Path -LiteralPath $old -PathType Leaf) {
                Remove-Item -LiteralPath $old -Force -ErrorAction Stop
            }
        }
        & $phaseout scan -o $report -o $plan --fail-on replace 2>$null | Out-Null
        $status = $LASTEXITCODE
    }
} catch {
    $status = $null
}
$there = Test-Path -LiteralPath $plan -PathType Leaf
# A REPLACE in the report counts, whatever the status says.
$replace = [bool](Select-String -LiteralPath $report -Pattern '"verdict": ?"replace"' -CaseSensitive -Quiet -ErrorAction SilentlyContinue)
$says = $null
if ($there -and ($replace -or $status -eq 1) -and $status -in 0, 1, 3) {
    $says = 'Software must be replaced'
} elseif ($status -eq 0) {
    $says = 'Nothing that must be replaced was found'
} elseif ($status -eq 3) {
    $says = 'Not everything was seen; nothing that must be replaced was found in the rest'
}
if ($says -and $there) {
    Write-Output "$says. What to do: $plan"
    exit 0
}
foreach ($half in $plan, $report) {
    if (Test-Path -LiteralPath $half -PathType Leaf) {
        Remove-Item -LiteralPath $half -Force -ErrorAction SilentlyContinue
    }
}
if (-not (Get-ChildItem -LiteralPath $reports -Force -ErrorAction SilentlyContinue)) {
    Remove-Item -LiteralPath $reports -Force -ErrorAction SilentlyContinue
}
if ($says) {
    Write-Output "$says, but phaseout wrote no report to $reports"
    exit 0
}
# A crash of Python has the status 1 as well.
if ($status -eq 1) {
    Write-Output 'Software must be replaced, or phaseout failed: it ended with status 1, and there is no new report'
    exit 1
}
Write-Output 'phaseout could not scan, or could not write its report: there is no new report'
exit 1
