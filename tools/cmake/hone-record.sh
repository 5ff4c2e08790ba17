# hone-record.sh <number of words> [launcher] <compiler> [argument]...: compiles, and leaves the command beside the object:
# the directory, how many words name the compiler with its launcher, and the words, a line each.
named=$1
shift
object= next=
for word do
    [ -n "$next" ] && object=$word
    next=
    [ "$word" = -o ] && next=object
done
printf '%s\n' "$PWD" "$named" "$@" >"$object.command" && exec "$@"
