/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "round/histogram.h"

/* Upper bounds, inclusive. */
static const struct {
	uint64_t us;
	const char *seconds;
} bounds[HISTOGRAM_BUCKETS] = {
	{50, "5e-05"},	  {100, "0.0001"},    {200, "0.0002"},
	{500, "0.0005"},  {1000, "0.001"},    {2000, "0.002"},
	{5000, "0.005"},  {10000, "0.01"},    {20000, "0.02"},
	{50000, "0.05"},  {100000, "0.1"},    {200000, "0.2"},
	{500000, "0.5"},  {1000000, "1.0"},   {2000000, "2.0"},
	{5000000, "5.0"}, {10000000, "10.0"},
};

void histogram_add(struct histogram *histogram, uint64_t us)
{
	histogram->count++;
	histogram->sum_us += us;
	for (unsigned int i = 0; i < HISTOGRAM_BUCKETS; i++) {
		if (us <= bounds[i].us) {
			histogram->buckets[i]++;
			return;
		}
	}
}

const char *histogram_bound(unsigned int i)
{
	return bounds[i].seconds;
}
