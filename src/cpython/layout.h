/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_CPYTHON_LAYOUT_H
#define HW_CPYTHON_LAYOUT_H

/*
 * Where the fields of CPython's structures lie. One list of fields (fields.def), one row for each
 * layout (rows/<name>.row), turned into tables at build time by tools/rows2c.py. The rows are made
 * by tools/layout-row from real interpreters' debug information; each row's head says from which.
 *
 * A row is chosen by fingerprint: PY_VERSION_HEX range, size of the _PyRuntime symbol, flavour,
 * architecture. Of a series that gets no more than security fixes, releases whose _PyRuntime has another
 * size are tried with the one row there is. It is believed only after hw_runtime_open() has checked it on the target. Where a
 * distribution's patches move a field, two rows have one fingerprint ("3.13.5", "3.13.5-debian");
 * rows/README.md says which fields differ.
 */

#include "heapwhy.h"

/* Byte offset and width of a field. width 0: this layout has no such field. A field of an unusual
 * type (struct, array) has the width of the whole. */
struct hw_field {
    uint32_t offset;
    uint32_t width;
};

enum hw_field_id {
#define HW_FIELD(structure, field, name) HW_F_##name,
#include "cpython/fields.def"
#undef HW_FIELD
    HW_FIELD_COUNT
};

enum hw_size_id {
#define HW_SIZE(structure, name) HW_S_##name,
#include "cpython/fields.def"
#undef HW_SIZE
    HW_SIZE_COUNT
};

enum hw_flavour { HW_FLAVOUR_RELEASE, HW_FLAVOUR_DEBUG, HW_FLAVOUR_THREADED };

/* An object pointer inside a C structure. */
enum hw_ref_kind {
    HW_REF_OWNED,     /* one pointer, may be NULL; a codec's error handler may be a number < 4096 */
    HW_REF_INLINE,    /* count pointers in a row at offset; count 0: ob_size many */
    HW_REF_WEAK,      /* no edge: weak, borrowed or a list link; listed so that it is not scanned */
    HW_REF_UNVISITED, /* owned, may be NULL, but tp_traverse does not visit it */
};
struct hw_ref {
    const char *label; /* the C field's name, or the Python attribute that shows it */
    uint16_t offset;
    uint8_t kind;    /* enum hw_ref_kind */
    uint8_t is_attr; /* label is a Python attribute of the object */
    uint16_t count;  /* for HW_REF_INLINE */
};
/* One C structure that needs no code of its own: all its references lie at fixed offsets. */
struct hw_struct_row {
    const char *type_name; /* tp_name as the type object has it */
    uint32_t basicsize;    /* tp_basicsize; a type that says otherwise is not this one */
    const struct hw_ref *refs;
    uint16_t ref_count;
};

struct hw_layout {
    const char *name;                  /* "3.11", "3.13.5": the row file's name */
    uint32_t version_min, version_max; /* PY_VERSION_HEX, both included */
    uint64_t runtime_bytes;            /* st_size of _PyRuntime; 0: any */
    bool other_sizes; /* releases of the range with another one are believed as well, once checked */
    enum hw_flavour flavour;
    struct hw_field f[HW_FIELD_COUNT];
    uint32_t s[HW_SIZE_COUNT];           /* sizeof; 0: no such structure */
    const struct hw_struct_row *structs; /* by type_name, then basicsize */
    size_t struct_count;
};

extern const struct hw_layout *const hw_layouts[];
extern const size_t hw_layout_count;

#endif
