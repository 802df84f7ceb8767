# Intune remediation, detection script. Intune shows its one line of output for the machine.
#
# Exit status 0 only if phaseout ended as it should, saw everything, and found nothing. Otherwise 1, which starts the
# remediation script: something must be replaced or decided, not everything was seen, or phaseout could not run.
#
# References:
#   https://learn.microsoft.com/intune/intune-service/fundamentals/remediations

# With $false, a machine on which a scan ran, found nothing, but did not see everything counts as without issues.
$incompleteIsAnIssue = $true

# By default Intune starts the 32-bit host, which sees another registry and another Program Files.
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

# Begin of the judgement, which is the same in all scripts. $ran: phaseout ended as it should, with a status and a line
# that agree. $line: always begins with a verdict; REPLACE is kept even if phaseout failed afterwards.
$lines = @()
$status = $null
if ($phaseout) {
    try {
        $lines = @(& $phaseout scan -f line --fail-on replace 2>$null)
        $status = $LASTEXITCODE
    } catch {
        $lines = @()
    }
}
$whenReplace = 1  # the status for REPLACE, which follows from --fail-on
# Release 0.1.0 said "everything seen" for "all sources complete".
$form = '^(REPLACE|REVIEW|INCOMPLETE|CLEAN) \((not everything seen|all sources complete|everything seen)\)'
$verdicts = @($lines -cmatch $form)
# A REPLACE counts in every form: behind the mark of an encoding, in UTF-16, in colours.
$replace = @($lines -replace '\x1b\[[0-9;]*m' -creplace '[^ -~]' -creplace '^ +' -cmatch '^REPLACE \(')
$said = @($lines -match '\S')
$due = 0
if ($replace.Count) {
    $due = $whenReplace
} elseif ($verdicts -cmatch '^INCOMPLETE ') {
    $due = 3
}
$why = $null
if (-not $phaseout) {
    $why = 'phaseout is not installed'
} elseif ($null -eq $status) {
    $why = 'phaseout could not be started'
} elseif (-not $said.Count) {
    $why = "phaseout said nothing, and ended with status $status"
} elseif ($replace.Count -and -not $verdicts.Count) {
    $why = "the verdict of phaseout came in another form, and it ended with status $status"
} elseif (-not $verdicts.Count) {
    $why = "phaseout gave no verdict, and ended with status $status"
} elseif ($lines[-1] -notmatch '\S') {
    $why = "the last line of phaseout is empty, and it ended with status $status"
} elseif ($verdicts.Count -ne 1 -or $lines[-1] -cnotmatch $form -or ($replace.Count -and $lines[-1] -cnotmatch '^REPLACE ')) {
    $why = "phaseout said more than one verdict, and ended with status $status"
} elseif ($status -ne $due) {
    $why = "the verdict of phaseout and its status $status contradict each other"
} elseif ($lines[-1] -cmatch '^INCOMPLETE \((all|everything)') {
    $why = 'the verdict of phaseout contradicts what it says was seen'
}
$ran = -not $why
if ($ran) {
    $line = $lines[-1]
} elseif ($replace.Count) {
    $line = "REPLACE (not everything seen) $why;" + ($replace[-1] -creplace '^REPLACE \([^)]*\)?')
} else {
    $line = "INCOMPLETE (not everything seen) $why"
}
if ($line.Length -gt 2048) {
    $line = $line.Substring(0, 2044) + ' ...'
}
# End of the judgement.

Write-Output $line
if ($ran -and $line -cmatch '^CLEAN \((all sources complete|everything seen)\)') {
    exit 0
}
if ($ran -and -not $incompleteIsAnIssue -and $line -cmatch '^(INCOMPLETE|CLEAN) \(') {
    exit 0
}
exit 1
