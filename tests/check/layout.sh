#!/bin/sh
# layout.sh - tools/layout.py finds every change of the public headers that breaks programs, and takes what only adds to them.
. "$(dirname "$0")/../e2e/lib.sh"
tree=$T/tree
fresh() {
    rm -rf "$tree"
    mkdir -p "$tree/tools" "$tree/include" "$tree/mk"
    cp "$SCRY_TOP/tools/layout.py" "$tree/tools/"
    cp -R "$SCRY_TOP/include/scry" "$tree/include/"
    cp "$SCRY_TOP/mk/libscry0.layout" "$tree/mk/"
}
layout() { python3 "$tree/tools/layout.py" "$@" >"$T/out" 2>&1; }
change() { # HEADER SED
    sed -i "$2" "$tree/include/scry/$1"
    cmp -s "$tree/include/scry/$1" "$SCRY_TOP/include/scry/$1" && echo "the header was not changed: $2" | note
}
breaks() { # WHAT HEADER SED MESSAGE
    fresh
    change "$2" "$3"
    layout
    is "$1 breaks programs" "$?" 1
    like "... says what" "$T/out" "$4"
    layout --write
    is "... and is not written" "$? $(cmp "$tree/mk/libscry0.layout" "$SCRY_TOP/mk/libscry0.layout" 2>&1)" '1 '
}
fits() { # WHAT HEADER SED
    fresh
    change "$2" "$3"
    layout
    is "$1 is new: say so" "$?" 1
    like "... with what to do" "$T/out" 'tools/layout.py --write'
    layout --write
    is "... is written" "$?" 0
    layout
    is "... and is known then" "$? $(cat "$T/out")" '0 '
}

fresh
layout
is "the headers as they are" "$? $(cat "$T/out")" '0 '
like "structures are known" "$tree/mk/libscry0.layout" '^struct scry_search .*; double min_score; bool all_copies;'
breaks "a member in the middle" store.h 's/^    bool all_copies; /    int more;\n    bool all_copies; /' 'struct scry_search: member 4 was "bool all_copies", is "int more"'
breaks "a member of another type" store.h 's/^    double fold; /    float fold; /' 'struct scry_search: member 5 was "double fold", is "float fold"'
breaks "a member that is gone" copy.h '/^    uint64_t sample; /d' 'struct scry_copy_options: member 3 was "uint64_t sample", is "gone"'
breaks "two that changed places" marks.h 's/^    const void \*key;/    size_t key_size;/; t; s/^    size_t key_size;/    const void *key;/' 'struct scry_mark: member 1'
breaks "a callback that takes less" index.h 's/(\*skipped)(void \*arg, const char \*path, const char \*reason)/(*skipped)(void *arg, const char *path)/' 'struct scry_index_options'
breaks "another number" error.h 's/SCRY_EIO = -5/SCRY_EIO = -15/' 'constant SCRY_EIO was -5, is -15'
breaks "a constant before others" filter.h 's/^    SCRY_FILTER_CAMERA,/    SCRY_FILTER_NEW, SCRY_FILTER_CAMERA,/' 'constant SCRY_FILTER_CAMERA was 7, is 8'
breaks "a parameter of another type" query.h 's/scry_parse_region(const char \*text/scry_parse_region(const unsigned char *text/' 'function scry_parse_region was'
breaks "a parameter more" library.h 's/^int scry_set_data_dir(const char \*dir, /int scry_set_data_dir(const char *dir, int how, /' 'function scry_set_data_dir was'
breaks "a function that is gone" library.h '/^const char \*scry_version(void);/d' 'function scry_version was .*, is "gone"'
fits "a member at the end" store.h 's/^} scry_search;/    int more;\n} scry_search;/'
fits "a constant at the end" filter.h 's/^    SCRY_FILTER_KINDS /    SCRY_FILTER_NEW,\n    SCRY_FILTER_KINDS /'
fits "a function" library.h 's/^const char \*scry_version(void);/&\nint scry_more(int x);/'
fresh
change library.h 's/scry_set_data_dir(const char \*dir,/scry_set_data_dir(const char *folder,/'
layout
is "another name of a parameter is nothing" "$? $(cat "$T/out")" '0 '
done_testing
