#!/usr/bin/env bash
# How long grading a submission of chapter 1 takes (compiling, sandboxes, all checks, every report), against plain
# `cargo build --bins` of the same programs in a warm workspace. One run, one machine; a fifth of the class is wrong.
#
#   harness/grader/benches/grade.sh [SUBMISSIONS]
set -euo pipefail

count=${1:-100}
root=$(git -C "$(dirname "$0")" rev-parse --show-toplevel)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
solution=$root/solutions/01-hello-world

# submission FOLDER NUMBER: the solution, or for each fifth a mistake, with a comment that makes it different.
submission() {
    local send=$solution/src/bin/send.rs
    if (($2 % 5 == 0)); then send=$solution/mistakes/src/send-no-declare.rs; fi
    mkdir -p "$1"
    { echo "// $2"; cat "$send"; } > "$1/send.rs"
    { echo "// $2"; cat "$solution/src/bin/receive.rs"; } > "$1/receive.rs"
}

seconds() {
    local start end
    start=$(date +%s.%N)
    "$@"
    end=$(date +%s.%N)
    awk "BEGIN { print $end - $start }"
}

plain() {
    for ((number = 1; number <= count; number++)); do
        submission "$work/plain/exercises/01-hello-world/src/bin" "$number"
        cargo build --quiet --package hello-world --bins
    done
}

grade() {
    cargo workbook grade "$work/class" --out "$work/$1" --exercise hello-world --yes --seed 1 > "$work/$1.log"
}

mkdir "$work/plain"
git -C "$root" archive HEAD | tar --extract --directory "$work/plain"
cd "$work/plain"
export CARGO_TARGET_DIR=$work/target
submission exercises/01-hello-world/src/bin 0
cargo build --quiet --package hello-world --bins
plain=$(seconds plain)

cd "$root"
unset CARGO_TARGET_DIR
submission "$work/class/warm/hello-world/src/bin" 0
grade warm
rm -r "$work/class"
for ((number = 1; number <= count; number++)); do
    submission "$work/class/learner-$number/hello-world/src/bin" "$number"
done
graded=$(seconds grade out)

tail -2 "$work/out.log"
awk -v count="$count" -v plain="$plain" -v graded="$graded" 'BEGIN {
    printf "cargo build --bins    %6.2f s a submission\n", plain / count
    printf "cargo workbook grade  %6.2f s a submission\n", graded / count
    printf "ratio                 %6.2f\n", graded / plain
}'
