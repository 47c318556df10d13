// What a thread reads until another calls it off.
#include "platform/input.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <string>
#include <thread>

#include "support/gate.hpp"
#if defined(_WIN32)
#include "support/console_windows.hpp"
#include "support/ends_windows.hpp"
#else
#include "support/ends_posix.hpp"
#endif

namespace offloop {
namespace {

using namespace std::chrono_literals;
using testing::Gate;
using testing::number_of;

struct Read {
  int error = 0;
  std::string text;
};

Read read(Input& input) {
  std::array<uint8_t, 256> bytes;
  size_t count = 0;
  Read result;
  result.error = input.read(bytes.data(), bytes.size(), count);
  result.text.assign(reinterpret_cast<const char*>(bytes.data()), count);
  return result;
}

/// A thread that reads once.
class Reading {
 public:
  explicit Reading(Descriptor fd)
      : thread_([this, fd] {
          opened_error_ = input_.open(number_of(fd));
          begun_.open();
          if (!opened_error_) result_ = read(input_);
        }) {
    EXPECT_TRUE(begun_.wait());
    EXPECT_EQ(opened_error_, 0);
  }
  Input& input() { return input_; }
  Read end() {
    thread_.join();
    return result_;
  }

 private:
  Input input_;
  Gate begun_;
  int opened_error_ = 0;
  Read result_;
  std::thread thread_;
};

template <class Pipe>
class InputOfPipes : public ::testing::Test {};
using Pipes = ::testing::Types<testing::OneWay, testing::WaitingPipe>;
TYPED_TEST_SUITE(InputOfPipes, Pipes);

TYPED_TEST(InputOfPipes, gives_what_has_come_and_then_the_end) {
  TypeParam pipe;
  Input input;
  ASSERT_EQ(input.open(number_of(pipe[0])), 0);
  pipe.send(1);
  EXPECT_EQ(read(input).text, "x");
  pipe.send(1);
  pipe.send(1);
  pipe.close_end(1);
  EXPECT_EQ(read(input).text, "xx");
  for (int i = 0; i < 2; ++i) {
    const Read end = read(input);
    EXPECT_EQ(end.error, 0);
    EXPECT_EQ(end.text, "");
  }
}

TYPED_TEST(InputOfPipes, waits_until_something_comes) {
  TypeParam pipe;
  Reading reading(pipe[0]);
  pipe.send(1);
  EXPECT_EQ(reading.end().text, "x");
}

TYPED_TEST(InputOfPipes, waits_until_the_end_comes) {
  TypeParam pipe;
  Reading reading(pipe[0]);
  pipe.close_end(1);
  const Read end = reading.end();
  EXPECT_EQ(end.error, 0);
  EXPECT_EQ(end.text, "");
}

TYPED_TEST(InputOfPipes, is_called_off_while_it_waits_and_leaves_what_comes_later_to_others) {
  TypeParam pipe;
  Reading reading(pipe[0]);
  std::this_thread::sleep_for(10ms);  // nothing says that a thread sleeps in the system: this makes it likely
  reading.input().interrupt();
  EXPECT_EQ(reading.end().error, ECANCELED);
  pipe.send(1);
  EXPECT_EQ(read(reading.input()).error, ECANCELED);
  Input next;
  ASSERT_EQ(next.open(number_of(pipe[0])), 0);
  EXPECT_EQ(read(next).text, "x");
}

TYPED_TEST(InputOfPipes, is_called_off_wherever_it_is) {
  TypeParam pipe;
  for (int i = 0; i < 300; ++i) {
    Reading reading(pipe[0]);
    for (int spins = 0; spins < i * 20; ++spins) std::atomic_signal_fence(std::memory_order_seq_cst);
    reading.input().interrupt();
    ASSERT_EQ(reading.end().error, ECANCELED);
  }
}

TYPED_TEST(InputOfPipes, outlives_what_it_was_opened_from) {
  TypeParam pipe;
  Input input;
  ASSERT_EQ(input.open(number_of(pipe[0])), 0);
  pipe.close_end(0);
  pipe.send(1);
  EXPECT_EQ(read(input).text, "x");
}

TEST(InputOfFiles, goes_on_where_others_have_stopped_and_comes_to_an_end) {
  const Descriptor file = testing::open_path(testing::kProgram);
  Input whole;
  ASSERT_EQ(whole.open(number_of(file)), 0);
  size_t left = 0;
  std::string first = read(whole).text;
  EXPECT_EQ(first.size(), 256u);
  Input rest;
  ASSERT_EQ(rest.open(number_of(file)), 0);
  for (Read part; (part = read(rest)).text.size() > 0; left += part.text.size()) ASSERT_EQ(part.error, 0);
  EXPECT_GT(left, 1000u);
  EXPECT_EQ(read(whole).text, "") << "one place, for both";
  testing::close_path(file);
}

TEST(InputOfNothing, is_refused) {
  Input input;
  EXPECT_EQ(input.open(1'000'000), EBADF);
}

#if defined(_WIN32)
using testing::Console;

TEST(InputOfConsoles, is_right_in_a_console_of_its_own) {
  EXPECT_EQ(testing::run_in_a_console("--gtest_filter=InAConsole.*"), 0) << "run that in a console to see more";
}

// --- by the one above ---

struct InAConsole : ::testing::Test {
  void SetUp() override {
    if (!testing::is_in_a_console()) GTEST_SKIP() << "it is run in one by another test";
  }
  Console console;
};

TEST_F(InAConsole, gives_lines_in_utf_8_and_the_end) {
  Input input;
  ASSERT_EQ(input.open(number_of(console.input())), 0);
  console.type(L"h\u00e9\u4e16\U0001F30D\r");
  EXPECT_EQ(read(input).text, "h\u00e9\u4e16\U0001F30D\r\n");
  console.type(L"\r");
  EXPECT_EQ(read(input).text, "\r\n");
  console.type(L"\x1A\r");
  const Read end = read(input);
  EXPECT_EQ(end.error, 0);
  EXPECT_EQ(end.text, "");
}

TEST_F(InAConsole, gives_a_long_line_in_parts_and_no_half_characters) {
  Input input;
  ASSERT_EQ(input.open(number_of(console.input())), 0);
  std::string expected = "y", all;
  std::wstring typed = L"y";
  for (int i = 0; i < 100; ++i) {
    typed += L"\U0001F30D";
    expected += "\U0001F30D";
  }
  console.type((typed + L"\r").c_str());
  while (!all.ends_with('\n')) {
    const Read part = read(input);
    ASSERT_TRUE(part.error == 0 || part.error == EAGAIN) << part.error;
    all += part.text;
  }
  EXPECT_EQ(all, expected + "\r\n");
}

TEST_F(InAConsole, leaves_no_trace_when_it_is_called_off_while_nobody_types) {
  Input input;
  ASSERT_EQ(input.open(number_of(console.input())), 0);
  console.type(L"x\r");
  console.let_go(VK_RETURN);
  EXPECT_EQ(read(input).text, "x\r\n");
  const int line = console.line();
  Reading reading(console.input());
  std::this_thread::sleep_for(20ms);  // it is likely to wait now
  reading.input().interrupt();
  EXPECT_EQ(reading.end().error, ECANCELED);
  EXPECT_EQ(console.line(), line);
}

TEST_F(InAConsole, is_called_off_while_nobody_types_or_somebody_is_in_a_line) {
  for (const wchar_t* typed : {L"", L"abc"}) {
    Reading reading(console.input());
    console.type(typed);
    std::this_thread::sleep_for(20ms);  // it is likely to read them now
    reading.input().interrupt();
    EXPECT_EQ(reading.end().error, ECANCELED);
  }
  Input next;
  ASSERT_EQ(next.open(number_of(console.input())), 0);
  console.type(L"new\r");
  EXPECT_EQ(read(next).text, "new\r\n");
}
#endif

}  // namespace
}  // namespace offloop
