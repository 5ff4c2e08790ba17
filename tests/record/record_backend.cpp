// SPDX-License-Identifier: BSL-1.0
// Records of a third backend are read, chosen from and written into a header by the functions that serve the others and
// know none.
#include <stdexcept>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <hone/record/agreement.hpp>
#include <hone/record/header_text.hpp>
#include <hone/record/header_writer.hpp>
#include <hone/record/record.hpp>
#include <hone/record/record_backend.hpp>
#include <hone/record/record_merge.hpp>
#include <hone/record/record_table.hpp>

#include "third_backend.hpp"
#include "tuner_rig.hpp"

using namespace hone;
using namespace hone::schedules;
using namespace hone::test;

namespace {

std::string why_rejected(const std::string& line)
{
    try {
        tune::record_of(line, with_abacus);
    } catch (const std::invalid_argument& e) {
        return e.what();
    }
    return "";
}
std::string with(std::string line, const std::string& from, const std::string& to)
{
    const auto at = line.find(from);
    REQUIRE(at != std::string::npos);
    return line.replace(at, from.size(), to);
}

} // namespace

TEST_CASE("records of another backend are read by those who know it, and rejected by name elsewhere")
{
    const tune::record r = of_abacus(2, 3, 7);
    const std::string line = tune::line_of(r);
    const tune::record again = tune::record_of(line, with_abacus);
    CHECK(again.backend == on_abacus);
    CHECK(tune::line_of(again) == line);
    CHECK(static_cast<const beads&>(*again.code).count == 7);

    CHECK_THROWS_WITH_AS(tune::record_of(line), "'backend' is the text 'abacus', not one of cpu, vulkan",
                         std::invalid_argument);
    CHECK(why_rejected(with(line, "\"wood\"", "\"avx2\"")) ==
          "there is no instruction set 'avx2' of the backend 'abacus'");
    CHECK(why_rejected(with(line, "\"count\"", "\"number\"")) == "its beads are not counted");
    CHECK(why_rejected(with(line, "{\"count\":7}", "7")) == "'beads' is 7, not an object");
    CHECK(why_rejected(with(line, "\"template\":\"direct\"", "\"template\":\"winograd\"")) ==
          "the backend 'abacus' has no template 'winograd'");
    CHECK(why_rejected(with(tune::line_of(tiny_record(1)), "\"verdict\"", "\"beads\":{\"count\":1},\"verdict\"")) ==
          "it has a beads, but is not of the abacus");
}

TEST_CASE("files with records of several backends are merged, tabled and written into one header")
{
    const folder at;
    auto standard = of_abacus(2, 4, 1);
    standard.origin = "default";
    const std::vector<tune::record> records{tiny_record(1, 3), tiny_record_on_vulkan(0), standard, of_abacus(1, 3, 2),
                                            of_abacus(1, 2, 3)};
    {
        const tune::record_writer log(at / "r.jsonl");
        for (const tune::record& r : records) log.write(r);
    }
    const auto read = tune::read_records(at / "r.jsonl", with_abacus);
    REQUIRE(read.records.size() == records.size());
    CHECK(tune::merge_records({at / "r.jsonl"}, with_abacus).records == records.size());
    CHECK(tune::read_records(at / "r.jsonl").rejected.size() == 3);

    const std::string header = tune::header_text("k", read.records, {}, with_abacus);
    CHECK(header.find("#include <hone/vulkan/entry.hpp>\n#include <abacus.hpp>\n") != std::string::npos);
    CHECK(header.find("// of k\n") != std::string::npos);
    // Of two that are as fast, the one with the lesser nest.
    CHECK(header.find(fmt::format("{} direct rows=2", tune::header::quoted(tiny::signature().c_str()))) !=
          std::string::npos);
    CHECK(header.find("{\"count\":3}\n") != std::string::npos);
    CHECK_FALSE(tune::wrong_header(header, read.records, {}, with_abacus).has_value());
    // Others have their parts as ever.
    const std::vector<tune::record> of_hone(read.records.begin(), read.records.begin() + 2);
    CHECK(tune::header_text("k", of_hone).find(".set = hone::isa::avx2") != std::string::npos);
    CHECK(tune::header_text("k", of_hone) == tune::header_text("k", read.records));

    const std::string table = tune::text_of(tune::table_of(read.records), tune::text_style::plain);
    CHECK(table.find("abacus: a shop, 1 thread, hot cache") != std::string::npos);
}

TEST_CASE("a record that says nothing yet is of no backend, which has nothing")
{
    const tune::record r;
    CHECK(std::string(r.backend->name()) == "");
    CHECK(tune::class_of(r) == error_class::exact_order);
    CHECK(tune::wrong_config(*r.backend, "direct", {}) == "there is no backend");
    CHECK(tune::header_text("k", {r}) == tune::header_text("k", {}));
    CHECK(r.backend != tune::on_cpu);
    CHECK(tune::backend_ref(tune::on_cpu) < tune::backend_ref(tune::on_vulkan));
    CHECK(tune::backend_named("cpu", with_abacus) == &tune::on_cpu);
    CHECK(tune::backend_named("abacus", tune::all_backends::list) == nullptr);
}
