#!/bin/sh
# Index the folders of a queue, with as many machines as there are: each runs this until the queue is empty.
#
#     index_queue.sh NAME QUEUE
#
# NAME is the root that all machines know (scry index --root-name, scry root move), and SCRY_STORE the collection's server. QUEUE is a
# folder that all of them have mounted; QUEUE/todo holds a file for each folder, whose first line is the folder's path below the root:
#
#     cd /mnt/photos && mkdir -p QUEUE/todo && ls -d */*/ | while read -r folder; do echo "$folder" >"QUEUE/todo/$(echo "$folder" | tr / +)"; done
#
# A folder is taken by renaming its file, which only one machine can do. What a machine took that stopped before it was done is given
# back by `mv QUEUE/taken/HOST/* QUEUE/todo`: to index a folder twice costs little and stores nothing twice.
name=$1 queue=$2
[ -n "$queue" ] || { echo "usage: index_queue.sh NAME QUEUE" >&2; exit 2; }
mine=$queue/taken/$(uname -n)
mkdir -p "$mine" "$queue/failed" || exit 2
root=$(sed -n "s|^$name=||p" "${SCRY_ROOTS:-${XDG_DATA_HOME:-$HOME/.local/share}/scry/roots}")
[ -n "$root" ] || { echo "this machine does not know where $name is: scry root move $name PATH" >&2; exit 2; }
for file in "$queue"/todo/*; do
    mv "$file" "$mine/" 2>/dev/null || continue   # another machine has it
    taken=$mine/${file##*/}
    read -r folder <"$taken"
    scry index "$root/$folder"
    case $? in
    0 | 1) rm "$taken" ;;                         # 1: some files cannot be read, which scry remembers
    *) mv "$taken" "$queue/failed/" ;;
    esac
done
