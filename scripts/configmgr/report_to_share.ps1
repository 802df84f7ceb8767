# Scans, and writes the report to a share as HOST-YYYYMMDDTHHMMSSZ-DIGEST.csv.
#
#   powershell.exe -NoProfile -NonInteractive -ExecutionPolicy Bypass -File report_to_share.ps1 -Share \\server\phaseout$
#
# For a Configuration Manager package or the Group Policy task. It runs as SYSTEM, so the share must let the computer
# accounts (Domain Computers) create files; they need not read, change, rename or delete any. A file is written once,
# under its final name. DIGEST is the beginning of its SHA-256, by which `phaseout fleet add` sees that it is whole.
#
# Reports that could not be delivered wait in %ProgramFiles%\phaseout\outbox for the next run, at most 7 and 64 MB of them
# (the newest in any case). There is no new scan within 20 hours after the last one. Exit status 0 if nothing is left to
# be delivered, otherwise 1.

param(
    [Parameter(Mandatory = $true)]
    [string]$Share
)

if ([Environment]::Is64BitOperatingSystem -and -not [Environment]::Is64BitProcess) {
    & "$(Split-Path -Path ([Environment]::SystemDirectory))\sysnative\WindowsPowerShell\v1.0\powershell.exe" -NoProfile -NonInteractive -ExecutionPolicy Bypass -File $PSCommandPath -Share $Share
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
if ($Share -notmatch '^(\\\\[^\\]|[A-Za-z]:\\|/)') {
    Write-Output "$Share is no share: nothing was scanned"
    exit 1
}
$name = "$env:COMPUTERNAME" -creplace '[^A-Za-z0-9._-]', '_'
if (-not $name.Trim('._')) {
    $name = [Environment]::MachineName
}
$outbox = "$env:ProgramFiles\phaseout\outbox"  # not ProgramData: every user may create a junction there
# The invariant culture: in others the year may be 2569 or 1448.
$now = [DateTime]::UtcNow.ToString("yyyyMMdd'T'HHmmss'Z'", [Globalization.CultureInfo]::InvariantCulture)
$new = "$outbox\$name-$now.csv"

# *.csv waits for its delivery; *.delivered is the last one that was delivered, and only tells when that was.
$failed = $null
try {
    $null = New-Item -ItemType Directory -Path $outbox -Force -ErrorAction Stop
    $young = @(Get-ChildItem -LiteralPath $outbox -Force | Where-Object {
            $_.Name -match '-\d{8}T\d{6}Z\.(csv|delivered)$' -and $_.LastWriteTimeUtc -gt [DateTime]::UtcNow.AddHours(-20) -and
            $_.LastWriteTimeUtc -le [DateTime]::UtcNow.AddHours(1)
        })
    if (-not (Test-Path -LiteralPath $outbox -PathType Container)) {
        $failed = "$outbox is no folder"
    } elseif (-not $young.Count) {
        & $phaseout scan -f csv -o $new --fail-on never 2>$null | Out-Null
        if ($LASTEXITCODE -ne 0 -and $LASTEXITCODE -ne 3) {
            $failed = "phaseout ended with status $LASTEXITCODE"
            Remove-Item -LiteralPath $new -Force -ErrorAction SilentlyContinue
        } elseif (-not (Get-Item -LiteralPath $new -Force -ErrorAction SilentlyContinue).Length) {
            Remove-Item -LiteralPath $new -Force -ErrorAction SilentlyContinue
            $failed = 'phaseout wrote no report'
        } else {
            $rows = @(Get-Content -LiteralPath $new -Encoding UTF8)
            $verdict = '^("[^"]*"|[^,]*),[^,]*,'
            if (@($rows -match '\S').Count -lt 2 -and $rows -cmatch '^host,') {
                $failed = 'the report of phaseout names no machine'
                Remove-Item -LiteralPath $new -Force -ErrorAction SilentlyContinue
            } elseif ($LASTEXITCODE -eq 3 -and $rows -cmatch "${verdict}clean,") {
                $failed = 'the report of phaseout, which says clean, and its status 3 contradict each other'
                Remove-Item -LiteralPath $new -Force -ErrorAction SilentlyContinue
            } elseif ($LASTEXITCODE -eq 0 -and $rows -cmatch "${verdict}incomplete,") {
                $failed = 'the report of phaseout and its status 0 contradict each other'
            }
        }
    }
} catch {
    $failed = 'phaseout could not be started, or its folder could not be written'
}

# The newest first. The name on the share has the time of the attempt, since one that broke off left a file that cannot
# be written again; the time of the scan is in the report.
$waiting = @(Get-ChildItem -LiteralPath $outbox -Filter *.csv -File -Force -ErrorAction SilentlyContinue | Sort-Object -Property Name -Descending)
$count = 0
$size = 0
$stuck = $null
foreach ($report in $waiting) {
    $count += 1
    $size += $report.Length
    if ($count -gt 1 -and ($count -gt 7 -or $size -gt 64MB)) {
        Remove-Item -LiteralPath $report.FullName -Force -ErrorAction SilentlyContinue
        continue
    }
    if ($stuck) {
        continue
    }
    try {
        $text = Get-Content -LiteralPath $report.FullName -Raw -Encoding UTF8 -ErrorAction Stop
        $digest = (Get-FileHash -LiteralPath $report.FullName -Algorithm SHA256 -ErrorAction Stop).Hash.Substring(0, 16).ToLower()
        $final = $report.Name -replace '-\d{8}T\d{6}Z\.csv$', "-$now-$digest.csv"
        # New-Item opens with CREATE_NEW for writing alone, and writes UTF-8 without a mark, as phaseout does.
        $null = New-Item -ItemType File -Path "$Share\$final" -Value $text -ErrorAction Stop
        Get-ChildItem -LiteralPath $outbox -Filter *.delivered -Force | Remove-Item -Force
        Rename-Item -LiteralPath $report.FullName -NewName ($report.Name -replace 'csv$', 'delivered') -ErrorAction Stop
        Write-Output "$Share\$final"
    } catch {
        if (Test-Path -LiteralPath $report.FullName) {  # otherwise another run delivered it
            $stuck = "$($report.Name) could not be delivered to $Share and waits for the next run"
        }
    }
}
if ($failed -or $stuck) {
    Write-Output (@($failed, $stuck | Where-Object { $_ }) -join '; ')
    exit 1
}
exit 0
