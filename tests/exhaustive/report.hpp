// What a check found, as one line of JSON on stdout: the names of the checks, the inputs they saw, each
// failure's count and first input, figures. It must not know what is checked.
#pragma once

#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

namespace fanfill_exhaustive {

class Report {
 public:
  void text(const char* key, const std::string& value) { add(key, '"' + value + '"'); }
  void count(const char* key, std::uint64_t value) { add(key, std::to_string(value)); }
  void number(const char* key, double value) {
    char buffer[40];
    std::snprintf(buffer, sizeof buffer, "%.17g", value);
    add(key, buffer);
  }
  void bits(const char* key, std::uint64_t value) {
    char buffer[24];
    std::snprintf(buffer, sizeof buffer, "\"%016" PRIx64 "\"", value);
    add(key, buffer);
  }

  // Declares a check, so that one that never ran isn't taken for one that passed. Returns its handle.
  std::size_t declare(const char* check) {
    checks_.push_back({check, 0, {}});
    return checks_.size() - 1;
  }
  // The first failing input of a check is kept: the sets are ascending, so it is the smallest.
  void fail(std::size_t check, std::uint64_t input, double value, const char* isa) {
    Check& c = checks_[check];
    if (c.failures++ != 0) return;
    char buffer[120];
    std::snprintf(buffer, sizeof buffer, "{\"input\": \"0x%" PRIx64 "\", \"value\": \"%a\", \"isa\": \"%s\"}",
                  input, value, isa);
    c.first = buffer;
  }
  bool passed() const {
    for (const Check& c : checks_) {
      if (c.failures != 0) return false;
    }
    return true;
  }
  void print() const {
    std::string names, failed;
    for (const Check& c : checks_) {
      names += (names.empty() ? "\"" : ", \"") + std::string(c.name) + '"';
      if (c.failures == 0) continue;
      failed += (failed.empty() ? "\"" : ", \"") + std::string(c.name) +
                "\": {\"count\": " + std::to_string(c.failures) + ", \"first\": " + c.first + "}";
    }
    std::printf("{%s, \"checks\": [%s], \"failed\": {%s}}\n", body_.c_str(), names.c_str(), failed.c_str());
    std::fflush(stdout);
  }

 private:
  struct Check {
    const char* name;
    std::uint64_t failures;
    std::string first;
  };
  void add(const char* key, const std::string& value) {
    body_ += (body_.empty() ? "\"" : ", \"") + std::string(key) + "\": " + value;
  }

  std::string body_;
  std::vector<Check> checks_;
};

}  // namespace fanfill_exhaustive
