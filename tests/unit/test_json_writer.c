/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The JSON writer: whether a real parser takes whatever bytes.
 */
#include "tests/unit/json_fixture.h"

/* --- the writer --------------------------------------------------------------------------- */

static const char *string_of(struct fixture *f, const char *bytes, size_t len)
{
	struct json_writer json = { .out = &f->out };

	json_string(&json, bytes, len);
	return fixture_text(f);
}

static void strings_are_valid_whatever_the_bytes(void **state)
{
	struct fixture *f = *state;

#define STRING(bytes, want)                                                                        \
	assert_string_equal(string_of(f, bytes, sizeof(bytes) - 1), "\"" want "\"")
	STRING("plain", "plain");
	STRING("say \"hi\" \\", "say \\\"hi\\\" \\\\");
	STRING("a\nb\tc\033[31m\x7f", "a\\u000ab\\u0009c\\u001b[31m\\u007f");
	STRING("nul\0in", "nul\\u0000in");
	STRING("caf\xc3\xa9 \xe6\x97\xa5 \xf0\x9f\x98\x80",
	       "caf\xc3\xa9 \xe6\x97\xa5 \xf0\x9f\x98\x80");
	STRING("\xff", "\xef\xbf\xbd");
	STRING("cut \xe6\x97", "cut \xef\xbf\xbd");
	STRING("\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd");			/* too long */
	STRING("\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"); /* surrogate */
	STRING("\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
	STRING("\xc2\x9b"
	       "31m",
	       "\\u009b31m");
	STRING("\xe2\x80\xae", "\\u202e");
	STRING("\xf3\xa0\x80\x81", "\\udb40\\udc01");
#undef STRING
}

static void empty_containers_and_commas(void **state)
{
	struct fixture *f = *state;
	struct json_writer json = { .out = &f->out };

	json_object_begin(&json);
	json_key(&json, "a");
	json_object_begin(&json);
	json_object_end(&json);
	json_key(&json, "b");
	json_array_begin(&json);
	json_array_end(&json);
	json_key(&json, "c");
	json_array_begin(&json);
	json_item(&json);
	json_i64(&json, INT64_MIN);
	json_item(&json);
	json_object_begin(&json);
	json_key_string(&json, "d\"");
	json_u64(&json, UINT64_MAX);
	json_object_end(&json);
	json_item(&json);
	json_null(&json);
	json_array_end(&json);
	json_key(&json, "e");
	json_bool(&json, true);
	json_line_end(&json);
	assert_string_equal(fixture_text(f),
			    "{\"a\":{},\"b\":[],\"c\":[-9223372036854775808,"
			    "{\"d\\\"\":18446744073709551615},null],\"e\":true}\n");
}

/* Random bytes, with many that matter, through jq: each line must be one string. */
static void jq_takes_random_bytes(void **state)
{
	static const unsigned char special[] = "\"\\\n\x7f\xc2\x9b\xe2\x80\xae\xf0\x9f\xed\xa0";
	struct json_writer json;
	struct out out;
	unsigned int seed = 1;
	FILE *jq;

	(void)state;
	if (system("command -v jq >/dev/null 2>&1") != 0) {
		print_message("jq is not here\n");
		skip();
	}
	jq = popen("test \"$(jq -r type | sort | uniq -c | tr -s ' ')\" = ' 5000 string'", "w");
	assert_non_null(jq);
	assert_int_equal(out_open(&out, fileno(jq), false, 0), 0);
	json = (struct json_writer){ .out = &out };
	for (int line = 0; line < 5000; line++) {
		char bytes[600];
		size_t len = (size_t)rand_r(&seed) % (line % 10 ? 40 : sizeof(bytes));

		for (size_t i = 0; i < len; i++) {
			unsigned int pick = (unsigned int)rand_r(&seed) >> 4;

			bytes[i] = (char)(pick & 1 ? special[(pick >> 1) % (sizeof(special) - 1)]
						   : pick >> 1);
		}
		json_string(&json, bytes, len);
		out_write(&out, "\n", 1);
	}
	assert_int_equal(out_close(&out), 0);
	assert_int_equal(pclose(jq), 0);
}

static void long_strings_pass_the_buffer(void **state)
{
	struct fixture *f = *state;
	size_t len = 60000;
	char *bytes = malloc(len);

	assert_non_null(bytes);
	memset(bytes, 'x', len);
	assert_int_equal(strlen(string_of(f, bytes, len)), len + 2);
	free(bytes);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(strings_are_valid_whatever_the_bytes),
		TEST(empty_containers_and_commas),
		TEST(jq_takes_random_bytes),
		TEST(long_strings_pass_the_buffer),
	};

	return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
