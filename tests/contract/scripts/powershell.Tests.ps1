# The PowerShell scripts, run by PowerShell for Linux with a stand-in for phaseout.exe. test_powershell.py starts this.

BeforeDiscovery {
    $scripts = (Resolve-Path "$PSScriptRoot/../../../scripts").Path
    $all = @(Get-ChildItem -Path $scripts -Recurse -Filter *.ps1 | ForEach-Object { @{ Name = $_.Name; File = $_.FullName } })
    $clean = 'CLEAN (all sources complete) nothing found in 2 items'
    $replace = 'REPLACE (all sources complete) replace: Kaspersky Endpoint Security 12.3, installed, due 2024-09-29'
    $review = 'REVIEW (all sources complete) review: Kaspersky Security Center Network Agent 15.1, installed, no date'
    $partial = 'REPLACE (not everything seen) replace: Kaspersky Endpoint Security 12.3, installed, due 2024-09-29; not seen: x'
    $incomplete = 'INCOMPLETE (not everything seen) not seen: services: access denied'
    # What phaseout says, its status (R: the one for REPLACE), the verdict that is due, whether the scan ran, saw everything.
    $answers = @(
        @{ What = 'clean'; Said = "$clean\n"; Status = '0'; Verdict = 'CLEAN'; Ran = $true; Seen = $true }
        @{ What = 'clean, release 0.1.0'; Said = 'CLEAN (everything seen) 760 items\r\n'; Status = '0'; Verdict = 'CLEAN'; Ran = $true; Seen = $true }
        @{ What = 'clean after other words'; Said = "note\n$clean\n"; Status = '0'; Verdict = 'CLEAN'; Ran = $true; Seen = $true }
        @{ What = 'replace'; Said = "$replace\n"; Status = 'R'; Verdict = 'REPLACE'; Ran = $true; Seen = $true }
        @{ What = 'replace, in part seen'; Said = "$partial\n"; Status = 'R'; Verdict = 'REPLACE'; Ran = $true; Seen = $false }
        @{ What = 'review'; Said = "$review\n"; Status = '0'; Verdict = 'REVIEW'; Ran = $true; Seen = $true }
        @{ What = 'incomplete'; Said = "$incomplete\n"; Status = '3'; Verdict = 'INCOMPLETE'; Ran = $true; Seen = $false }
        @{ What = 'clean, then a crash'; Said = "$clean\n"; Status = '5'; Verdict = 'INCOMPLETE'; Ran = $false; Seen = $false }
        @{ What = 'clean with status 1'; Said = "$clean\n"; Status = '1'; Verdict = 'INCOMPLETE'; Ran = $false; Seen = $false }
        @{ What = 'clean with status 3'; Said = "$clean\n"; Status = '3'; Verdict = 'INCOMPLETE'; Ran = $false; Seen = $false }
        @{ What = 'incomplete with status 0'; Said = "$incomplete\n"; Status = '0'; Verdict = 'INCOMPLETE'; Ran = $false; Seen = $false }
        @{ What = 'incomplete that saw everything'; Said = 'INCOMPLETE (all sources complete) x\n'; Status = '3'; Verdict = 'INCOMPLETE'; Ran = $false; Seen = $false }
        @{ What = 'clean, though something was not seen'; Said = 'CLEAN (not everything seen) x\n'; Status = '0'; Verdict = 'CLEAN'; Ran = $true; Seen = $false }
        @{ What = 'replace, then a crash'; Said = "$replace\n"; Status = '5'; Verdict = 'REPLACE'; Ran = $false; Seen = $false }
        @{ What = 'replace before an empty line'; Said = "$replace\n\n"; Status = 'R'; Verdict = 'REPLACE'; Ran = $false; Seen = $false }
        @{ What = 'replace before clean'; Said = "$replace\n$clean\n"; Status = '0'; Verdict = 'REPLACE'; Ran = $false; Seen = $false }
        @{ What = 'incomplete before clean'; Said = "$incomplete\n$clean\n"; Status = '0'; Verdict = 'INCOMPLETE'; Ran = $false; Seen = $false }
        @{ What = 'clean before an empty line'; Said = "$clean\n \n"; Status = '0'; Verdict = 'INCOMPLETE'; Ran = $false; Seen = $false }
        @{ What = 'clean before other words'; Said = "$clean\nTraceback\n"; Status = '0'; Verdict = 'INCOMPLETE'; Ran = $false; Seen = $false }
        @{ What = 'silence'; Said = ''; Status = '0'; Verdict = 'INCOMPLETE'; Ran = $false; Seen = $false }
        @{ What = 'an empty line'; Said = '\r\n'; Status = '0'; Verdict = 'INCOMPLETE'; Ran = $false; Seen = $false }
        @{ What = 'other words'; Said = 'usage: phaseout\n'; Status = '0'; Verdict = 'INCOMPLETE'; Ran = $false; Seen = $false }
        @{ What = 'a word that begins as a verdict'; Said = 'CLEAN\n'; Status = '0'; Verdict = 'INCOMPLETE'; Ran = $false; Seen = $false }
        @{ What = 'replace in UTF-16'; Said = '\377\376R\000E\000P\000L\000A\000C\000E\000 \000(\000a\000l\000l\000)\000 \000x\000\n\000'; Status = 'R'; Verdict = 'REPLACE'; Ran = $false; Seen = $false }
        @{ What = 'replace in colours'; Said = "\033[1;31m$replace\033[0m\n"; Status = 'R'; Verdict = 'REPLACE'; Ran = $false; Seen = $false }
        @{ What = 'replace behind blanks'; Said = "  $replace\n"; Status = 'R'; Verdict = 'REPLACE'; Ran = $false; Seen = $false }
        @{ What = 'replace of another release'; Said = 'REPLACE (everything was seen) x\n'; Status = 'R'; Verdict = 'REPLACE'; Ran = $false; Seen = $false }
        @{ What = 'replace in colours before clean'; Said = "\033[31m$replace\n$clean\n"; Status = '0'; Verdict = 'REPLACE'; Ran = $false; Seen = $false }
        @{ What = 'replace, then killed'; Said = "$replace\n"; Status = '137'; Verdict = 'REPLACE'; Ran = $false; Seen = $false }
        @{ What = 'replace without an end'; Said = $replace; Status = 'R'; Verdict = 'REPLACE'; Ran = $true; Seen = $true }
        @{ What = 'clean in UTF-16'; Said = '\377\376C\000L\000E\000A\000N\000 \000(\000'; Status = '0'; Verdict = 'INCOMPLETE'; Ran = $false; Seen = $false }
        @{ What = 'clean in colours'; Said = "\033[32m$clean\n"; Status = '0'; Verdict = 'INCOMPLETE'; Ran = $false; Seen = $false }
        @{ What = 'clean in small letters'; Said = 'clean (all sources complete) x\n'; Status = '0'; Verdict = 'INCOMPLETE'; Ran = $false; Seen = $false }
        @{ What = 'clean in another language'; Said = 'SAUBER (alle Quellen vollstaendig) x\n'; Status = '0'; Verdict = 'INCOMPLETE'; Ran = $false; Seen = $false }
        @{ What = 'clean twice'; Said = "$clean\n$clean\n"; Status = '0'; Verdict = 'INCOMPLETE'; Ran = $false; Seen = $false }
        @{ What = 'clean within other words'; Said = "verdict: $clean\n"; Status = '0'; Verdict = 'INCOMPLETE'; Ran = $false; Seen = $false }
        @{ What = 'clean with status 255'; Said = "$clean\n"; Status = '255'; Verdict = 'INCOMPLETE'; Ran = $false; Seen = $false }
        @{ What = 'review with status 3'; Said = "$review\n"; Status = '3'; Verdict = 'INCOMPLETE'; Ran = $false; Seen = $false }
        @{ What = 'a word with a foreign letter'; Said = 'CLE\320\220N (all sources complete) x\n'; Status = '0'; Verdict = 'INCOMPLETE'; Ran = $false; Seen = $false }
        @{ What = 'a long line'; Said = "CLEAN (all sources complete) $('x' * 9000)\n"; Status = '0'; Verdict = 'CLEAN'; Ran = $true; Seen = $true }
        @{ What = 'a failure'; Said = ''; Status = '2'; Verdict = 'INCOMPLETE'; Ran = $false; Seen = $false }
    )
}

BeforeAll {
    $global:PSNativeCommandArgumentPassing = 'Legacy'  # quotes arguments as Windows PowerShell 5.1 does
    $scripts = (Resolve-Path "$PSScriptRoot/../../../scripts").Path

    function Initialize-Machine {
        $env:ProgramFiles = "$TestDrive/pf"
        $env:COMPUTERNAME = 'PC1'
        Remove-Item -LiteralPath "$TestDrive/pf", "$TestDrive/calls" -Recurse -Force -ErrorAction Ignore
        $null = New-Item -ItemType Directory -Path "$TestDrive/pf"
    }

    # The stand-in prints a text (escapes as in printf), runs what else it is given, and ends with a status.
    function Set-Program([string]$Said, [string]$Status, [string]$Also = '', [string]$Folder = "$TestDrive/pf/phaseout") {
        $null = New-Item -ItemType Directory -Path $Folder -Force
        $body = "#!/bin/sh`necho ""`$@"" >>'$TestDrive/calls'`nprintf '$Said'`necho noise >&2`n$Also`nexit $Status`n"
        [IO.File]::WriteAllText("$Folder/phaseout.exe", $body)
        chmod +x "$Folder/phaseout.exe"
    }

    # What a script wrote to standard output, its error records, its exit status.
    function Invoke-Script([string]$Name, [hashtable]$With = @{}) {
        $all = @(& "$scripts/$Name" @With 2>&1)
        $status = $LASTEXITCODE
        $wrong, $out = $all.Where({ $_ -is [Management.Automation.ErrorRecord] }, 'Split')
        @{ Out = ($out -join "`n"); Wrong = ($wrong -join "`n"); Status = $status; Lines = @($out).Count }
    }
}

Describe 'What phaseout says: <What>' -ForEach $answers {
    BeforeEach { Initialize-Machine }

    It 'detect.ps1' {
        Set-Program $Said ($Status -replace 'R', '1')
        $got = Invoke-Script 'intune/detect.ps1'
        $got.Out | Should -MatchExactly "^$Verdict \("
        $got.Lines, $got.Wrong | Should -Be 1, ''
        $got.Status | Should -Be ([int]-not ($Ran -and $Seen -and $Verdict -eq 'CLEAN'))
        $got.Out -cmatch '\(not everything seen\)' | Should -Be (-not $Seen)
    }
    It 'discover_compliance.ps1' {
        Set-Program $Said ($Status -replace 'R', '0')
        $got = Invoke-Script 'intune/discover_compliance.ps1'
        $words = @(($Ran -and $Verdict -ne 'REPLACE'), $Ran, $Seen) | ForEach-Object { "$_".ToLower() }
        $got.Out | Should -BeExactly ('{{"PhaseoutNothingToReplace":{0},"PhaseoutRan":{1},"PhaseoutEverythingSeen":{2}}}' -f $words)
        $got.Status, $got.Wrong | Should -Be 0, ''
    }
    It 'discover.ps1' {
        Set-Program $Said ($Status -replace 'R', '0')
        $got = Invoke-Script 'configmgr/discover.ps1'
        $got.Out | Should -MatchExactly "^$Verdict \("
        $got.Lines, $got.Wrong | Should -Be 1, ''
        $got.Status | Should -Be ([int]-not ($Ran -or $Verdict -eq 'REPLACE'))
    }
    It 'run_script.ps1' {
        Set-Program $Said ($Status -replace 'R', '0')
        $got = Invoke-Script 'configmgr/run_script.ps1'
        $got.Out | Should -MatchExactly "^$Verdict \("
        $got.Out -cmatch '\(not everything seen\)' | Should -Be (-not $Seen)
        $got.Out | Should -Not -Match '\d{4}-\d\d-\d\d|12\.3| items'
        $got.Lines, $got.Wrong, $got.Status | Should -Be 1, '', 0
    }
}

Describe 'A machine where phaseout cannot be run: <What>' -ForEach @(
    @{ What = 'absent'; Prepare = { } }
    @{ What = 'damaged'; Prepare = { Set-Program '' '0'; [IO.File]::WriteAllBytes("$TestDrive/pf/phaseout/phaseout.exe", [byte[]](77, 90, 0, 1)) } }
    @{ What = 'a folder of its name'; Prepare = { $null = New-Item -ItemType Directory -Path "$TestDrive/pf/phaseout/phaseout.exe" } }
    @{ What = 'no %ProgramFiles%'; Prepare = { Set-Program 'CLEAN (all sources complete)\n' '0'; $env:ProgramFiles = $null } }
    @{ What = 'a relative %ProgramFiles%'; Prepare = { Set-Program 'CLEAN (all sources complete)\n' '0'; $env:ProgramFiles = 'pf' } }
    @{ What = 'a %ProgramFiles% of the current folder'; Prepare = { Set-Program 'CLEAN (all sources complete)\n' '0'; $env:ProgramFiles = '.' } }
    @{ What = 'a blank %ProgramFiles%'; Prepare = { Set-Program 'CLEAN (all sources complete)\n' '0'; $env:ProgramFiles = ' ' } }
    @{ What = 'a %ProgramFiles% of dots'; Prepare = { Set-Program 'CLEAN (all sources complete)\n' '0'; $env:ProgramFiles = 'C:\.' } }
    @{ What = 'a %ProgramFiles% that leads upwards'; Prepare = { Set-Program 'CLEAN (all sources complete)\n' '0'; $env:ProgramFiles = 'C:\x\..' } }
    @{ What = 'a %ProgramFiles% of blanks behind the drive'; Prepare = { Set-Program 'CLEAN (all sources complete)\n' '0'; $env:ProgramFiles = 'C:\ ' } }
    @{ What = 'a %ProgramFiles% in quotes'; Prepare = { Set-Program 'CLEAN (all sources complete)\n' '0'; $env:ProgramFiles = "`"$TestDrive/pf`"" } }
    @{ What = 'a %ProgramFiles% on a share'; Prepare = { Set-Program 'CLEAN (all sources complete)\n' '0'; $env:ProgramFiles = '\\server\x' } }
    @{ What = 'a file in place of the folder'; Prepare = { Set-Content -Path "$TestDrive/pf/phaseout" -Value 'x' } }
    @{ What = 'the root of a drive'; Prepare = { Set-Program 'CLEAN (all sources complete)\n' '0'; $env:ProgramFiles = 'C:\' } }
) {
    BeforeEach {
        Initialize-Machine
        Push-Location $TestDrive
        & $Prepare
    }
    AfterEach { Pop-Location }

    It 'says so, is nowhere green, and runs nothing' {
        $got = Invoke-Script 'intune/detect.ps1'
        $got.Out | Should -MatchExactly '^INCOMPLETE \(not everything seen\) phaseout (is not installed|could not be started)$'
        $got.Status, $got.Wrong | Should -Be 1, ''
        $got = Invoke-Script 'intune/discover_compliance.ps1'
        $got.Out | Should -Be '{"PhaseoutNothingToReplace":false,"PhaseoutRan":false,"PhaseoutEverythingSeen":false}'
        (Invoke-Script 'configmgr/discover.ps1').Status | Should -Be 1
        (Invoke-Script 'configmgr/run_script.ps1').Out | Should -MatchExactly '^INCOMPLETE \(not everything seen\); phaseout'
        $got = Invoke-Script 'intune/detect_app.ps1'
        $got.Out, $got.Wrong, $got.Status | Should -Be '', '', 0
        "$TestDrive/calls" | Should -Not -Exist
    }
    It 'remediate.ps1 leaves nothing' {
        $got = Invoke-Script 'intune/remediate.ps1'
        $got.Status | Should -Be 1
        $got.Out | Should -Not -Match 'what_to_do'
        @(Get-ChildItem -Path $TestDrive -Recurse -Filter reports).Count | Should -Be 0
    }
}

Describe 'detect.ps1 with its switch off' {
    BeforeAll {
        $changed = (Get-Content -Raw "$scripts/intune/detect.ps1").Replace('$incompleteIsAnIssue = $true', '$incompleteIsAnIssue = $false')
        Set-Content -Path "$TestDrive/detect.ps1" -Value $changed
    }
    It 'only a scan that ran and was incomplete is no issue: <Said> <Status>' -ForEach @(
        @{ Said = 'INCOMPLETE (not everything seen) x\n'; Status = 3; Due = 0 }
        @{ Said = 'INCOMPLETE (not everything seen) x\n'; Status = 2; Due = 1 }
        @{ Said = ''; Status = 3; Due = 1 }
        @{ Said = 'REPLACE (not everything seen) replace: X\n'; Status = 1; Due = 1 }
        @{ Said = 'CLEAN (all sources complete) x\n'; Status = 0; Due = 0 }
    ) {
        Initialize-Machine
        Set-Program $Said $Status
        $null = & "$TestDrive/detect.ps1"
        $LASTEXITCODE | Should -Be $Due
    }
}

Describe 'detect_app.ps1' {
    It '<Said> with status <Status>' -ForEach @(
        @{ Said = 'phaseout WANTED\r\n'; Status = 0; Found = $true }
        @{ Said = 'phaseout 99.0.1\n'; Status = 0; Found = $true }
        @{ Said = 'phaseout 0.0.9\n'; Status = 0; Found = $false }
        @{ Said = 'phaseout WANTED\n'; Status = 9; Found = $false }
        @{ Said = 'phaseout 99999999999.1\n'; Status = 0; Found = $false }
        @{ Said = 'phaseout 99.0.1 and more\n'; Status = 0; Found = $false }
        @{ Said = 'x\nphaseout 99.0.1\n'; Status = 0; Found = $false }
        @{ Said = ''; Status = 0; Found = $false }
    ) {
        Initialize-Machine
        $wanted = [regex]::Match((Get-Content -Raw "$scripts/intune/detect_app.ps1"), "\[version\]'([\d.]+)'").Groups[1].Value
        Set-Program $Said.Replace('WANTED', $wanted) $Status
        $got = Invoke-Script 'intune/detect_app.ps1'
        $got.Status, $got.Wrong | Should -Be 0, ''
        [bool]$got.Out | Should -Be $Found
    }
}

Describe 'remediate.ps1' {
    BeforeEach {
        Initialize-Machine
        $reports = "$TestDrive/pf\phaseout\reports"
        $write = 'for one; do case $one in *.md|*.json) echo new >"$(printf %s "$one" | tr "\\\\" /)";; esac; done'
    }
    It 'status <Status>: <Says>' -ForEach @(
        @{ Status = 0; Says = '^Nothing that must be replaced was found' }
        @{ Status = 1; Says = '^Software must be replaced' }
        @{ Status = 3; Says = '^Not everything was seen' }
    ) {
        Set-Program '' $Status $write
        $got = Invoke-Script 'intune/remediate.ps1'
        $got.Out | Should -Match $Says
        $got.Out | Should -BeLike "*$TestDrive/pf*what_to_do.md"
        $got.Status, $got.Wrong | Should -Be 0, ''
        Get-Content "$reports/what_to_do.md" | Should -Be 'new'
    }
    It 'status <Status> without a report leaves nothing, and loses no REPLACE' -ForEach @(
        @{ Status = 0; Says = '^Nothing that must be replaced was found, but phaseout wrote no report'; Due = 0 }
        @{ Status = 3; Says = '^Not everything was seen; .*, but phaseout wrote no report'; Due = 0 }
        @{ Status = 1; Says = '^Software must be replaced, or phaseout failed'; Due = 1 }
        @{ Status = 137; Says = '^phaseout could not scan'; Due = 1 }
    ) {
        Set-Program '' $Status
        $got = Invoke-Script 'intune/remediate.ps1'
        $got.Out | Should -Match $Says
        $got.Out | Should -Not -Match 'what_to_do'
        $got.Status, $got.Wrong | Should -Be $Due, ''
        $reports | Should -Not -Exist
    }
    It 'a report that says replace counts more than status <Status>' -ForEach @(@{ Status = 0 }, @{ Status = 3 }) {
        Set-Program '' $Status "$write; echo '{ `"verdict`": `"replace`" }' >`"`$(printf %s `"`$3`" | tr '\\' /)`""
        $got = Invoke-Script 'intune/remediate.ps1'
        $got.Out | Should -Match '^Software must be replaced. What to do: .*what_to_do'
    }
    It 'what lies in the way is said, and stays: <Way>' -ForEach @(@{ Way = 'reports'; Status = 0 }, @{ Way = 'reports/what_to_do.md/full'; Status = 2 }) {
        Set-Program '' $Status $write
        $null = New-Item -ItemType File -Path "$TestDrive/pf/phaseout/$Way" -Force
        $got = Invoke-Script 'intune/remediate.ps1'
        $got.Out | Should -Match 'there is no new report$'
        $got.Status, $got.Wrong | Should -Be 1, ''
        "$TestDrive/pf/phaseout/$Way" | Should -Exist
    }
    It 'sends nobody to an old report: status <Status>' -ForEach @(@{ Status = 1 }, @{ Status = 2 }, @{ Status = 9 }) {
        Set-Program '' $Status
        $null = New-Item -ItemType Directory -Path $reports
        Set-Content -Path "$reports/what_to_do.md" -Value 'old'
        $got = Invoke-Script 'intune/remediate.ps1'
        $got.Status | Should -Be 1
        $got.Out | Should -Not -Match 'what_to_do'
        $reports | Should -Not -Exist
    }
}

Describe 'run_script.ps1' {
    It 'is the same on machines in the same state' {
        Initialize-Machine
        $outs = foreach ($said in (
                'REPLACE (all sources complete) replace: Kaspersky Endpoint Security 12.3 12.4.1, installed, due 2024-09-29; review: Agent 15, left, 3 days',
                'REPLACE (all sources complete) replace: Kaspersky Endpoint Security 11.0.0-1543 and 3 more, running, 700 days past')) {
            Set-Program $said '0'
            (Invoke-Script 'configmgr/run_script.ps1').Out
        }
        $outs[1] | Should -BeExactly 'REPLACE (all sources complete); replace: Kaspersky Endpoint Security'
        $outs[0] | Should -BeLike "$($outs[1])*"
    }
}

Describe 'report_to_share.ps1' {
    BeforeEach {
        Initialize-Machine
        $share = "$TestDrive/a share"
        Remove-Item -LiteralPath $share -Recurse -Force -ErrorAction Ignore
        $outbox = "$TestDrive/pf/phaseout/outbox"
        $write = 'out=$(printf %s "$5" | tr "\\\\" /); printf "host,scanned_at\nPC1,\303\251\n" >"$out"'
    }
    It 'writes once under a name with the digest, and scans no second time on that day' {
        $null = New-Item -ItemType Directory -Path $share
        Set-Program '' 3 $write
        $got = Invoke-Script 'configmgr/report_to_share.ps1' @{ Share = $share }
        $got.Status, $got.Wrong | Should -Be 0, ''
        $file = Get-Item "$share/*"
        $file.Name | Should -Match '^PC1-\d{8}T\d{6}Z-[0-9a-f]{16}\.csv$'
        $file.Name | Should -BeLike "*-$((Get-FileHash $file).Hash.Substring(0, 16).ToLower()).csv"
        (Invoke-Script 'configmgr/report_to_share.ps1' @{ Share = $share }).Status | Should -Be 0
        @(Get-Content "$TestDrive/calls").Count, @(Get-ChildItem $share).Count | Should -Be 1, 1
    }
    It 'keeps what could not be delivered for the next run, 7 at most' {
        Set-Program '' 0 $write
        (Invoke-Script 'configmgr/report_to_share.ps1' @{ Share = $share }).Status | Should -Be 1
        @(Get-ChildItem "$outbox/*.csv").Count | Should -Be 1
        foreach ($day in 1..9) { Set-Content "$outbox/PC1-2026010${day}T120000Z.csv" "day $day" }
        $null = New-Item -ItemType Directory -Path $share
        (Invoke-Script 'configmgr/report_to_share.ps1' @{ Share = $share }).Status | Should -Be 0
        @(Get-ChildItem $share).Count, @(Get-ChildItem "$outbox/*.csv").Count | Should -Be 7, 0
        @(Get-Content "$TestDrive/calls").Count | Should -Be 1
    }
    It 'keeps 64 MB, and the newest in any case' {
        Set-Program '' 2
        $null = New-Item -ItemType Directory -Path $outbox
        foreach ($day in 1..4) {
            $stream = [IO.File]::Create("$outbox/PC1-2026010${day}T120000Z.csv")
            $stream.SetLength($(if ($day -eq 4) { 70MB } else { 30MB }))
            $stream.Close()
        }
        $null = Invoke-Script 'configmgr/report_to_share.ps1' @{ Share = $share }
        (Get-ChildItem "$outbox/*.csv").Name | Should -Be 'PC1-20260104T120000Z.csv'
        Remove-Item "$outbox/*.csv"
        foreach ($day in 1..3) {
            $stream = [IO.File]::Create("$outbox/PC1-2026010${day}T120000Z.csv")
            $stream.SetLength(30MB)
            $stream.Close()
        }
        $null = Invoke-Script 'configmgr/report_to_share.ps1' @{ Share = $share }
        @(Get-ChildItem "$outbox/*.csv").Count | Should -Be 2
    }
    It 'delivers no clean report that the status contradicts, and none without a machine' -ForEach @(
        @{ Status = 3; Row = 'PC1,t,clean,' }
        @{ Status = 3; Row = '"a,b",t,clean,' }
        @{ Status = 0; Row = '' }
    ) {
        $null = New-Item -ItemType Directory -Path $share
        [IO.File]::WriteAllText("$TestDrive/row", "host,scanned_at,verdict`n$Row`n")
        Set-Program '' $Status "cp '$TestDrive/row' `"`$(printf %s `"`$5`" | tr '\\' /)`""
        (Invoke-Script 'configmgr/report_to_share.ps1' @{ Share = $share }).Status | Should -Be 1
        Get-ChildItem $share | Should -BeNullOrEmpty
    }
    It 'writes nowhere but to a share or a whole path: <Where>' -ForEach @(
        @{ Where = 'share' }, @{ Where = '.' }, @{ Where = '\share' }, @{ Where = 'Env:' }, @{ Where = 'Variable:\x' }
    ) {
        Set-Program '' 0 $write
        $got = Invoke-Script 'configmgr/report_to_share.ps1' @{ Share = $Where }
        $got.Status, $got.Wrong | Should -Be 1, ''
        "$TestDrive/calls" | Should -Not -Exist
    }
    It 'a file in place of its folder is said' {
        $null = New-Item -ItemType Directory -Path $share
        Set-Program '' 0 $write
        Set-Content -Path $outbox -Value 'x'
        $got = Invoke-Script 'configmgr/report_to_share.ps1' @{ Share = $share }
        $got.Out | Should -Match 'outbox is no folder$'
        $got.Status, $got.Wrong | Should -Be 1, ''
        "$TestDrive/calls" | Should -Not -Exist
    }
    It 'a name of the machine cannot leave the folder' {
        $null = New-Item -ItemType Directory -Path $share
        $env:COMPUTERNAME = '../../x y'
        Set-Program '' 0 $write
        (Invoke-Script 'configmgr/report_to_share.ps1' @{ Share = $share }).Status | Should -Be 0
        (Get-ChildItem $share -Force).Name | Should -Match '^\.\._\.\._x_y-\d{8}T'
    }
    It 'is not content with <Also>' -ForEach @(
        @{ Also = ':' }
        @{ Also = ': >"$(printf %s "$5" | tr "\\" /)"' }
        @{ Also = 'printf "h,t,incomplete,\n" >"$(printf %s "$5" | tr "\\" /)"' }
        @{ Also = 'kill -9 $$' }
    ) {
        $null = New-Item -ItemType Directory -Path $share
        Set-Program '' 0 $Also
        (Invoke-Script 'configmgr/report_to_share.ps1' @{ Share = $share }).Status | Should -Be 1
        @(Get-ChildItem $share).Count | Should -Be ([int]($Also -match 'incomplete'))
    }
    It 'two runs at once lose nothing' {
        $null = New-Item -ItemType Directory -Path $share
        Set-Program '' 0 $write
        $jobs = 1..2 | ForEach-Object {
            $shell = [powershell]::Create()
            $null = $shell.AddCommand("$scripts/configmgr/report_to_share.ps1").AddParameter('Share', $share)
            @{ Shell = $shell; Handle = $shell.BeginInvoke() }
        }
        foreach ($job in $jobs) { $null = $job.Shell.EndInvoke($job.Handle) }
        @(Get-ChildItem $share).Count | Should -BeGreaterThan 0
        @(Get-ChildItem "$outbox/*.csv").Count | Should -Be 0
    }
    It 'a scan that failed delivers nothing' {
        $null = New-Item -ItemType Directory -Path $share
        Set-Program '' 2 $write
        (Invoke-Script 'configmgr/report_to_share.ps1' @{ Share = $share }).Status | Should -Be 1
        Get-ChildItem $share | Should -BeNullOrEmpty
    }
}

Describe 'The text of <Name>' -ForEach $all {
    BeforeAll {
        $tokens = $wrong = $null
        $tree = [Management.Automation.Language.Parser]::ParseFile($File, [ref]$tokens, [ref]$wrong)
    }
    It 'has no error' { $wrong | Should -BeNullOrEmpty }
    It 'has no syntax that Windows PowerShell 5.1 does not know' {
        $newer = $tree.FindAll({
                param($node)
                $node.GetType().Name -in 'TernaryExpressionAst', 'PipelineChainAst' -or
                ($node -is [Management.Automation.Language.BinaryExpressionAst] -and $node.Operator -eq 'QuestionQuestion') -or
                ($node -is [Management.Automation.Language.AssignmentStatementAst] -and $node.Operator -eq 'QuestionQuestionEquals') -or
                ($node.NullConditional) -or ($node -is [Management.Automation.Language.PipelineAst] -and $node.Background) -or
                ($node -is [Management.Automation.Language.CommandParameterAst] -and $node.ParameterName -in 'Parallel', 'AsHashtable', 'IsMacOS') -or
                ($node -is [Management.Automation.Language.VariableExpressionAst] -and $node.VariablePath.UserPath -in 'IsWindows', 'IsLinux', 'IsMacOS')
            }, $true)
        $newer | Should -BeNullOrEmpty
    }
    It 'calls commands by their names that write nothing beside the output' {
        $calls = $tree.FindAll({ param($node) $node -is [Management.Automation.Language.CommandAst] }, $true).GetCommandName()
        $known = 'Write-Output', 'Select-Object', 'Where-Object', 'ForEach-Object', 'Sort-Object', 'Test-Path', 'Split-Path', 'Out-Null',
        'New-Item', 'Remove-Item', 'Rename-Item', 'Select-String', 'Get-ChildItem', 'Get-Item', 'Get-Content', 'Get-FileHash', ''
        $calls | Where-Object { $_ -and $_ -notin $known } | Should -BeNullOrEmpty
    }
    It 'runs in Constrained Language Mode' {
        Initialize-Machine
        Set-Program 'CLEAN (all sources complete) x' '0'
        $state = [initialsessionstate]::CreateDefault()
        $shell = [powershell]::Create($state)
        $shell.Runspace.SessionStateProxy.LanguageMode = 'ConstrainedLanguage'
        $null = $shell.AddCommand($File)
        if ($Name -eq 'report_to_share.ps1') { $null = $shell.AddParameter('Share', "$TestDrive/share") }
        $null = $shell.Invoke()
        $shell.Streams.Error | Should -BeNullOrEmpty
    }
    It 'ends with a status' { $tree.EndBlock.Statements[-1].Extent.Text | Should -Match '^exit [01]$' }
}
