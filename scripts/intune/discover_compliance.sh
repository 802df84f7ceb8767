#!/bin/sh
# Intune custom compliance for Linux, discovery script: one line of JSON, judged by compliance_rules.json.
#
# Three levels for a policy to choose from, each with a rule: nothing was found that must be replaced, a scan ran, it
# saw everything. Nothing is true of a machine that was not scanned.
#
# Intune runs it as the signed-in user, who cannot see everything. It scans as root if sudo allows just this command:
#   ALL ALL=(root) NOPASSWD: /opt/phaseout/bin/phaseout scan -f line --fail-on never
#
# References:
#   https://learn.microsoft.com/intune/intune-service/protect/compliance-custom-script
export LC_ALL=C

# PHASEOUT names another program, by its whole path: a part of one would be looked for where any user may put a program.
phaseout=${PHASEOUT:-/opt/phaseout/bin/phaseout}

# bounded COMMAND...: kills it after half an hour. A tool that waits for this script would wait for a program that hangs.
bounded() {
    "$@" &
    job=$!
    (
        sleep 1800 &
        trap 'kill $!' TERM
        wait $! && kill -9 "$job"
    ) >/dev/null 2>&1 &
    clock=$!
    wait "$job"
    set -- $?
    kill "$clock"
    return "$1"
}

scan() {
    set -- "$phaseout" scan -f line --fail-on never
    if [ "$(id -u)" != 0 ] && sudo -n -l "$@" >/dev/null 2>&1; then
        set -- sudo -n "$@"
    fi
    bounded "$@"
}

# Begin of the judgement, which is the same in all scripts. $why is empty if phaseout ended as it should, with a status
# and a line that agree. $line always begins with a verdict; REPLACE is kept even if phaseout failed afterwards.
form='^(REPLACE|REVIEW|INCOMPLETE|CLEAN) \((not everything seen|all sources complete|everything seen)\)'
status='' said='' why=''
case $phaseout in
/*) [ -f "$phaseout" ] || why='phaseout is not installed' ;;
*) why='PHASEOUT is no whole path' ;;
esac
if [ -z "$why" ]; then
    said=$({ scan 2>/dev/null; echo ":$?"; } | tr '\000' '\001' | tr -d '\r') # the end keeps empty lines
    status=${said##*:} said=${said%:*}
fi
verdicts=$(printf '%s\n' "$said" | grep -E "$form")
last=$(printf '%s' "$said" | tail -n 1)
# A REPLACE counts in every form: behind the mark of an encoding, in UTF-16, in colours.
colour=$(printf '\033')'\[[0-9;]*m'
replace=$(printf '%s\n' "$said" | sed "s/$colour//g" | tr -cd ' -~\n' | sed 's/^ *//' | grep '^REPLACE (' | tail -n 1)
due=0
if [ -z "$replace" ] && printf '%s\n' "$verdicts" | grep -q '^INCOMPLETE '; then
    due=3
fi
if [ -n "$why" ]; then
    :
elif [ "$status" = 126 ] || [ "$status" = 127 ]; then
    why='phaseout could not be started'
elif ! printf '%s\n' "$said" | grep -q '[^[:space:]]'; then
    why="phaseout said nothing, and ended with status $status"
elif [ -n "$replace" ] && [ -z "$verdicts" ]; then
    why="the verdict of phaseout came in another form, and it ended with status $status"
elif [ -z "$verdicts" ]; then
    why="phaseout gave no verdict, and ended with status $status"
elif ! printf '%s\n' "$last" | grep -q '[^[:space:]]'; then
    why="the last line of phaseout is empty, and it ended with status $status"
elif [ "$verdicts" != "$last" ] || { [ -n "$replace" ] && [ "${last#REPLACE }" = "$last" ]; }; then
    why="phaseout said more than one verdict, and ended with status $status"
elif [ "$status" != "$due" ]; then
    why="the verdict of phaseout and its status $status contradict each other"
elif printf '%s\n' "$last" | grep -Eq '^INCOMPLETE \((all|everything)'; then
    why='the verdict of phaseout contradicts what it says was seen'
fi
if [ -z "$why" ]; then
    line=$last
elif [ -n "$replace" ]; then
    line="REPLACE (not everything seen) $why;$(printf '%s\n' "$replace" | sed 's/^REPLACE ([^)]*)*//')"
else
    line="INCOMPLETE (not everything seen) $why"
fi
line=$(printf '%s' "$line" | tr -cd ' -~' | cut -c 1-2048)
# End of the judgement.

nothing=false ran=false everything=false
if [ -z "$why" ]; then
    ran=true
    case $line in 'REPLACE ('*) ;; *) nothing=true ;; esac
    case ${line#* } in '(all sources complete)'* | '(everything seen)'*) everything=true ;; esac
fi
printf '{"PhaseoutNothingToReplace":%s,"PhaseoutRan":%s,"PhaseoutEverythingSeen":%s}\n' "$nothing" "$ran" "$everything"
