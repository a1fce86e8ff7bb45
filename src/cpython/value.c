/* SPDX-License-Identifier: Apache-2.0 */
#include "base/value.h"
#include "cpython/native.h"
#include "cpython/value.h"

#include <inttypes.h>
#include <stdio.h>

/* The ellipsis that ends a text which was cut. */
static const char cut_mark[] = "\xe2\x80\xa6";
enum { CUT_BYTES = sizeof(cut_mark) - 1, QUOTES = 4 };

static size_t put_cut(char *to, size_t n)
{
    memcpy(to + n, cut_mark, CUT_BYTES + 1);
    return n + CUT_BYTES;
}

/* Quotes text as repr() does; what is not printable in ASCII is escaped, other UTF-8 is kept. */
static size_t quote(const char *text, size_t bytes, bool cut, bool is_bytes, char *to, size_t max)
{
    size_t n = 0;
    char q = memchr(text, '\'', bytes) && !memchr(text, '"', bytes) ? '"' : '\'';
    if (is_bytes)
        to[n++] = 'b';
    to[n++] = q;
    for (size_t i = 0; i < bytes; i++) {
        unsigned char c = (unsigned char)text[i];
        /* Room for the longest escape, the closing quote, the mark and the end. */
        if (n + 4 + 1 + CUT_BYTES + 1 > max) {
            cut = true;
            while (!is_bytes && n && ((unsigned char)text[i] & 0xc0) == 0x80 && i--)
                n--;
            break;
        }
        if (c == (unsigned char)q || c == '\\') {
            to[n++] = '\\';
            to[n++] = (char)c;
        } else if (c == '\n' || c == '\t' || c == '\r') {
            to[n++] = '\\';
            to[n++] = c == '\n' ? 'n' : c == '\t' ? 't' : 'r';
        } else if (c < 0x20 || c == 0x7f || (is_bytes && c >= 0x80)) {
            n += (size_t)snprintf(to + n, 5, "\\x%02x", c);
        } else {
            to[n++] = (char)c;
        }
    }
    to[n++] = q;
    to[n] = 0;
    return cut ? put_cut(to, n) : n;
}

static size_t value_str(struct hw_py *py, hw_addr addr, char *to, size_t max)
{
    char text[256];
    bool cut = false;
    size_t n = hw_py_text(py, addr, text, sizeof(text), &cut);
    return n == SIZE_MAX ? 0 : quote(text, n, cut, false, to, max);
}

static size_t value_bytes(struct hw_py *py, hw_addr addr, char *to, size_t max)
{
    const unsigned char *p = hw_py_at(py, addr, PY_SIZE(py, PyVarObject));
    uint64_t length = p ? PY_WORD(py, p, PyVarObject_ob_size) : 0;
    uint64_t take = length < 64 ? length : 64;
    p = hw_py_at(py, addr + PY_OFF(py, PyBytesObject_ob_sval), take);
    return p ? quote((const char *)p, take, take < length, true, to, max) : 0;
}

static size_t value_int(struct hw_py *py, hw_addr addr, const struct hw_pytype *type, char *to,
                        size_t max)
{
    int64_t value;
    if (!hw_py_int(py, addr, &value))
        return (size_t)snprintf(to, max, "int of more than 64 bits");
    if (!strcmp(type->tp_name, "bool"))
        return (size_t)snprintf(to, max, "%s", value ? "True" : "False");
    return hw_value_pack_int(to, value);
}

static size_t value_float(struct hw_py *py, hw_addr addr, char *to)
{
    const unsigned char *p = hw_py_at(py, addr, PY_SIZE(py, PyFloatObject));
    double value;
    if (!p)
        return 0;
    memcpy(&value, p + PY_OFF(py, PyFloatObject_ob_fval), sizeof(value));
    return hw_value_pack_float(to, value);
}

size_t hw_value_code(struct hw_py *py, hw_addr code, char *to, size_t max)
{
    return hw_value_code_named(py, code, 0, to, max);
}

size_t hw_value_code_named(struct hw_py *py, hw_addr code, hw_addr qualname, char *to, size_t max)
{
    const struct hw_pytype *type = hw_pytype_of(py, code);
    const unsigned char *p = hw_image_at(py->image, code, PY_SIZE(py, PyCodeObject));
    char name[128] = "", file[256] = "";
    if (!type || type->family != HW_FAMILY_CODE || !p)
        return 0;
    if (PY_HAS(py, PyCodeObject_co_qualname))
        qualname = PY_WORD(py, p, PyCodeObject_co_qualname);
    if (!qualname)
        qualname = PY_WORD(py, p, PyCodeObject_co_name);
    hw_py_text(py, qualname, name, sizeof(name), NULL);
    hw_py_text(py, PY_WORD(py, p, PyCodeObject_co_filename), file, sizeof(file), NULL);
    const char *base = strrchr(file, '/');
    int n = snprintf(to, max, "%s %s:%u", name, base ? base + 1 : file,
                     load32(p + PY_OFF(py, PyCodeObject_co_firstlineno)));
    return n < 0 ? 0 : (size_t)n < max ? (size_t)n : max - 1;
}

static size_t value_function(struct hw_py *py, hw_addr addr, char *to, size_t max)
{
    return hw_value_code_named(py, hw_py_word(py, addr + PY_OFF(py, PyFunctionObject_func_code)),
                               hw_py_word(py, addr + PY_OFF(py, PyFunctionObject_func_qualname)),
                               to, max);
}

static size_t value_module(struct hw_py *py, hw_addr addr, char *to, size_t max)
{
    hw_addr dict = hw_py_word(py, addr + PY_OFF(py, PyModuleObject_md_dict));
    hw_addr name = dict ? hw_dict_find(py, dict, "__name__") : 0;
    size_t n = name ? hw_py_text(py, name, to, max, NULL) : SIZE_MAX;
    return n == SIZE_MAX ? 0 : n;
}

static size_t value_type(struct hw_py *py, hw_addr addr, char *to, size_t max)
{
    const struct hw_pytype *self = hw_pytype_get(py, addr);
    int n = self ? snprintf(to, max, "%s", self->name) : 0;
    return n < 0 ? 0 : (size_t)n < max ? (size_t)n : max - 1;
}

static size_t value_deque(struct hw_py *py, hw_addr addr, char *to, size_t max)
{
    int64_t maxlen = (int64_t)hw_py_word(py, addr + PY_OFF(py, dequeobject_maxlen));
    return maxlen < 0 ? 0 : (size_t)snprintf(to, max, "maxlen=%" PRId64, maxlen);
}

static size_t value_lru_cache(struct hw_py *py, hw_addr addr, char *to, size_t max)
{
    int64_t maxsize = (int64_t)hw_py_word(py, addr + PY_OFF(py, lru_cache_object_maxsize));
    if (maxsize < 0)
        return (size_t)snprintf(to, max, "maxsize=None");
    return (size_t)snprintf(to, max, "maxsize=%" PRId64, maxsize);
}

static size_t value_fileio(struct hw_py *py, hw_addr addr, char *to, size_t max)
{
    const unsigned char *p = hw_py_at(py, addr + PY_OFF(py, fileio_fd), 4);
    return p ? (size_t)snprintf(to, max, "fd=%d", (int)load32(p)) : 0;
}

static size_t value_socket(struct hw_py *py, hw_addr addr, char *to, size_t max)
{
    const unsigned char *p = hw_py_at(py, addr + PY_OFF(py, PySocketSockObject_sock_fd), 4);
    return p ? (size_t)snprintf(to, max, "fd=%d", (int)load32(p)) : 0;
}

static const struct {
    const char *tp_name;
    size_t (*text)(struct hw_py *py, hw_addr addr, char *to, size_t max);
} named_values[] = {
    {"functools._lru_cache_wrapper", value_lru_cache},
    {"_io.FileIO", value_fileio},
    {"_socket.socket", value_socket},
    {"_asyncio.Future", hw_value_future},
    {"_asyncio.Task", hw_value_future},
    {"weakref.ReferenceType", hw_value_weakref},
    {"weakref.ProxyType", hw_value_weakref},
    {"weakref.CallableProxyType", hw_value_weakref},
    {"weakref", hw_value_weakref}, /* up to 3.9 */
    {"weakproxy", hw_value_weakref},
    {"weakcallableproxy", hw_value_weakref},
};

static size_t value_named(struct hw_py *py, hw_addr addr, const struct hw_pytype *type, char *to,
                          size_t max)
{
    const struct hw_native *native = type->solid->native;
    const unsigned char *p = native && native->text ? hw_py_at(py, addr, native->basicsize) : NULL;
    if (p)
        return native->text(py, p, to, max);
    if (!strcmp(type->tp_name, "NoneType"))
        return (size_t)snprintf(to, max, "None");
    for (size_t i = 0; i < sizeof(named_values) / sizeof(*named_values); i++)
        if (!strcmp(type->solid->tp_name, named_values[i].tp_name))
            return named_values[i].text(py, addr, to, max);
    return 0;
}

size_t hw_object_value(struct hw_py *py, hw_addr addr, const struct hw_pytype *type, char *to,
                       size_t max)
{
    switch (type->solid->family) {
    case HW_FAMILY_STR:
        return value_str(py, addr, to, max);
    case HW_FAMILY_BYTES:
        return value_bytes(py, addr, to, max);
    case HW_FAMILY_INT:
        return value_int(py, addr, type, to, max);
    case HW_FAMILY_FLOAT:
        return value_float(py, addr, to);
    case HW_FAMILY_FUNCTION:
        return value_function(py, addr, to, max);
    case HW_FAMILY_CODE:
        return hw_code_checks(py, addr, to, hw_value_code(py, addr, to, max), max);
    case HW_FAMILY_GENERATOR:
        return hw_value_generator(py, addr, to, max);
    case HW_FAMILY_FRAME:
        return hw_value_frame(py, addr, to, max);
    case HW_FAMILY_MODULE:
        return value_module(py, addr, to, max);
    case HW_FAMILY_TYPE:
        return value_type(py, addr, to, max);
    case HW_FAMILY_DEQUE:
        return value_deque(py, addr, to, max);
    case HW_FAMILY_LEAF:
    case HW_FAMILY_ROW:
    case HW_FAMILY_SIDE:
    case HW_FAMILY_NATIVE:
        return value_named(py, addr, type, to, max);
    default:
        return 0;
    }
}
