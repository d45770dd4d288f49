#include "decoder/formats/formats.h"

const scry_formats *scry_formats_table(void)
{
    static const scry_formats table = { scry_vips_start, scry_read_vips, scry_read_raw };
    return &table;
}
