// Foundation brings ICU along, and ICU a table of 32 MiB with the world's languages and calendars: half of the program.
// Ingot asks for none of it, so the linker finds this empty table first. ICU reports missing data where it is asked all the
// same, so formatters, locales and what else needs the table do not work in this program; `make lint` refuses them.
//
// The table's name has ICU's version in it: 74 with Swift 6.0, 76 with Swift 6.3. Under another name the whole table is
// linked, and nothing else changes.
#include "CICUData.h"

#define EMPTY(version) const char icudt##version##_dat[64] __attribute__((aligned(16))) = {0};
EMPTY(74) EMPTY(75) EMPTY(76) EMPTY(77) EMPTY(78)
