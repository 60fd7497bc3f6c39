#!/usr/bin/env bash
# What the workbook costs, beside another commit of it, on the same machine and in one run:
#
#   [CLASS=30] harness/workbook/benches/compare.sh [COMMIT]
#
# Both are cloned into a temporary folder and built from nothing. Each has a broker of its own that runs already, so its
# start is not measured. CPU is user and system time of all processes that a command starts; of warm commands it is the median of
# seven runs, the two commits in turn. A ratio below 1 means that this commit needs less. With CLASS, so many submissions are
# graded as well, each commit against plain `cargo build` of the same.
set -euo pipefail

base=${1:-7a5b4cb}
top=$(git -C "$(dirname "$0")" rev-parse --show-toplevel)
work=$(mktemp -d)
# What runs in the folder of a side has its broker there.
side() {
    export WORKBOOK_STATE_DIR=$work/$1-state
    cd "$work/$1"
}
finish() {
    for it in base head; do
        (side head && WORKBOOK_STATE_DIR=$work/$it-state cargo workbook broker down >/dev/null 2>&1) || true
    done
    rm -rf "$work"
}
trap finish EXIT
unset CARGO_TARGET_DIR
export CARGO_INCREMENTAL=0 CARGO_TERM_QUIET=true
TIMEFORMAT='%R %U %S'

for side in base head; do
    git clone --quiet --shared "$top" "$work/$side"
done
git -C "$work/base" checkout --quiet "$base"

# Wall time and CPU, in seconds, of a command in the folder of a side.
cost() {
    local side=$1
    shift
    { time (side "$side" && "$@" >"$work/said" 2>&1 || { cat "$work/said" >&2; exit 1; }); } 2>&1 \
        | awk '{ printf "%.2f %.2f\n", $1, $2 + $3 }'
}

# The medians of both figures, over the seven lines of a file.
median() {
    for column in 1 2; do
        cut --delimiter=' ' --fields="$column" "$1" | sort --general-numeric-sort | sed --quiet 4p
    done
}

row() {
    local name=$1 base_wall=$2 base_cpu=$3 head_wall=$4 head_cpu=$5
    awk -v name="$name" -v bw="$base_wall" -v bc="$base_cpu" -v hw="$head_wall" -v hc="$head_cpu" \
        'BEGIN { printf "| %s | %.1f | %.1f | %.2f | %.1f | %.1f | %.2f |\n", name, bc, hc, hc / bc, bw, hw, hw / bw }'
}

cold() {
    local name=$1
    shift
    local figures=()
    for side in base head; do
        rm -rf "$work/$side/target"
        figures+=("$(cost "$side" "$@")")
    done
    # shellcheck disable=SC2086
    row "$name" ${figures[0]} ${figures[1]}
}

warm() {
    local name=$1
    shift
    rm -f "$work"/base.times "$work"/head.times
    for _ in 1 2 3 4 5 6 7; do
        for side in base head; do
            cost "$side" "$@" >>"$work/$side.times"
        done
    done
    # shellcheck disable=SC2046
    row "$name" $(median "$work/base.times") $(median "$work/head.times")
}

# The peak of resident memory of a check, in MB: the largest of its processes, the program that it starts among them.
peak() {
    local side=$1 binary
    for binary in "$work/$side"/target/debug/deps/grade-*; do
        if [[ -x $binary ]] && "$binary" --list 2>/dev/null | grep --quiet '^send_says_so_and_exits:'; then break; fi
    done
    (side "$side" && python3 -c 'import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)' "$binary" send_says_so_and_exits --exact)
}

# How many crates stand in a target folder.
crates() {
    find "$work/$1/target/debug/.fingerprint" -mindepth 1 -maxdepth 1 -printf '%f\n' | sed 's/-[0-9a-f]*$//' | sort -u | wc -l
}

for it in base head; do
    (side head && WORKBOOK_STATE_DIR=$work/$it-state cargo workbook broker up --yes >/dev/null 2>&1)
done

echo "CPU and wall time in seconds, $base and $(git -C "$work/head" rev-parse --short HEAD), $(nproc) processors"
echo
echo "| what | CPU then | CPU now | ratio | wall then | wall now | ratio |"
echo "| --- | --- | --- | --- | --- | --- | --- |"
cold "cold: cargo test -p hello-world --no-run" cargo test -p hello-world --no-run
cold "cold: cargo workbook check hello-world --solution" cargo workbook check hello-world --solution --yes
counted="crates compiled for it: $(crates base) then, $(crates head) now"
warm "warm: check hello-world --solution" cargo workbook check hello-world --solution
memory="peak memory of a check, MB: $(peak base) then, $(peak head) now"
for side in base head; do
    cost "$side" cargo workbook check work-queues --solution >/dev/null
done
warm "warm: check work-queues --solution" cargo workbook check work-queues --solution
all='for it in exercises/??-*; do cargo workbook check "${it#exercises/??-}" --solution || exit 1; done'
for side in base head; do
    cost "$side" bash -c "$all" >/dev/null
done
warm "warm: all eight, one after the other" bash -c "$all"
echo
echo "$counted"
echo "$memory"
if [[ -n ${CLASS:-} ]]; then
    for side in base head; do
        echo
        echo "grading $CLASS submissions, $side:"
        (side "$side" && env --unset=CARGO_INCREMENTAL harness/grader/benches/grade.sh "$CLASS" 2>/dev/null | tail --lines=3)
    done
fi
