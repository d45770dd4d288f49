#include "decoder/formats/formats.h"

static int start(const char *program, scry_error *err)
{
    scry_raw_start();
    return scry_vips_start(program, err);
}

const scry_formats *scry_formats_table(void)
{
    static const scry_formats table = { start, scry_read_vips, scry_read_raw };
    return &table;
}
