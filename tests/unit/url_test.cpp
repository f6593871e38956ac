// What a URL and a listen address may look like, and what is made of them.
#include "probes/kit/url.h"

#include <string>

#include <gtest/gtest.h>

namespace holdshort {
namespace {

struct Good {
  const char* text;
  Url::Scheme scheme;
  std::string host;
  std::uint16_t port;
  std::string path;
  std::string authority;
  std::string canonical;
};

TEST(Url, IsReadAsWritten) {
  using enum Url::Scheme;
  const Good rows[] = {
      {"http://127.0.0.1:3000", http, "127.0.0.1", 3000, "", "127.0.0.1:3000", "http://127.0.0.1:3000"},
      {"http://app", http, "app", 80, "", "app", "http://app"},
      {"http://app:80/", http, "app", 80, "", "app", "http://app"},
      {"https://app:443", https, "app", 443, "", "app", "https://app"},
      {"https://app:80", https, "app", 80, "", "app:80", "https://app:80"},
      {"HTTP://Orders.Example.COM/V1/", http, "orders.example.com", 80, "/V1", "orders.example.com",
       "http://orders.example.com/V1"},
      {"http://app/a//b/%2f//", http, "app", 80, "/a//b/%2f", "app", "http://app/a//b/%2f"},
      {"http://[::1]:8080", http, "::1", 8080, "", "[::1]:8080", "http://[::1]:8080"},
      {"http://[FDAA::1]", http, "fdaa::1", 80, "", "[fdaa::1]", "http://[fdaa::1]"},
      {"http://my_app.internal", http, "my_app.internal", 80, "", "my_app.internal",
       "http://my_app.internal"},
      {"http://app:65535", http, "app", 65535, "", "app:65535", "http://app:65535"},
      {"unix:/run/app.sock", unix_socket, "", 0, "/run/app.sock", "localhost", "unix:/run/app.sock"},
      {"unix:///run/app.sock", unix_socket, "", 0, "/run/app.sock", "localhost", "unix:/run/app.sock"},
  };
  for (const Good& row : rows) {
    const Result<Url> url = Url::parse(row.text);
    ASSERT_TRUE(url) << row.text << ": " << url.error().message;
    EXPECT_EQ(url->scheme, row.scheme) << row.text;
    EXPECT_EQ(url->host, row.host) << row.text;
    EXPECT_EQ(url->port, row.port) << row.text;
    EXPECT_EQ(url->path, row.path) << row.text;
    EXPECT_EQ(url->authority(), row.authority) << row.text;
    EXPECT_EQ(url->text(), row.canonical) << row.text;
    const Result<Url> again = Url::parse(url->text());
    EXPECT_TRUE(again && *again == *url) << row.text << " does not read back";
  }
}

struct Bad {
  std::string text;
  const char* words;  // of the message
};

TEST(Url, IsRefusedWithTheReason) {
  const Bad rows[] = {
      {"", "expected http://"},
      {"app", "expected http://"},
      {"localhost:3000", "expected http://"},
      {"ftp://app", "expected http://"},
      {"http:app", "expected http://"},
      {"http:/app", "expected http://"},
      {"http://", "host is missing"},
      {"http://:80", "host is missing"},
      {"http:///path", "host is missing"},
      {"http://app:0", "1..65535"},
      {"http://app:65536", "1..65535"},
      {"http://app:", "1..65535"},
      {"http://app:+80", "1..65535"},
      {"http://app:80x", "1..65535"},
      {"http://user@app", "user information"},
      {"http://user:password@app", "user information"},
      {"http://app?q=1", "query or fragment"},
      {"http://app/#top", "query or fragment"},
      {"http://app /", "white space"},
      {"http://app/a b", "white space"},
      {"http://app/\r\n", "white space"},
      {"http://\xc3\xa4pp", "ASCII"},
      {"http://::1", "in brackets"},
      {"http://[::1", "closing bracket"},
      {"http://[app]", "IPv6 address between"},
      {"http://[127.0.0.1]", "IPv6 address between"},
      {"http://[::1]8080", "after the brackets"},
      {"http://a..b", "neither a name nor an address"},
      {"http://a.", "neither a name nor an address"},
      {"http://.a", "neither a name nor an address"},
      {"http://a%2eb", "neither a name nor an address"},
      {"http://127.1", "neither a name nor an address"},
      {"http://1.2.3.400", "neither a name nor an address"},
      {"unix:", "expected http://"},
      {"unix:/", "expected http://"},
      {"unix:run/app.sock", "expected http://"},
  };
  for (const Bad& row : rows) {
    const Result<Url> url = Url::parse(row.text);
    ASSERT_FALSE(url) << row.text;
    EXPECT_NE(url.error().message.find(row.words), std::string::npos)
        << row.text << ": " << url.error().message;
  }
}

TEST(Url, ErrorQuotesNoPassword) {
  for (const char* text : {"http://user:hunter2@app", "http://user:hunter2@", "hunter2",
                           "http://app?key=hunter2", "ftp://hunter2@app", "http://[hunter2"}) {
    const Result<Url> url = Url::parse(text);
    ASSERT_FALSE(url) << text;
    EXPECT_EQ(url.error().message.find("hunter2"), std::string::npos) << url.error().message;
  }
}

TEST(Url, LengthsEndWhereTheSystemsDo) {
  const std::string label(63, 'a');
  EXPECT_TRUE(Url::parse("http://" + label));
  EXPECT_FALSE(Url::parse("http://" + label + "a"));
  const std::string host = label + "." + label + "." + label + "." + std::string(61, 'a');  // 253
  EXPECT_TRUE(Url::parse("http://" + host));
  EXPECT_FALSE(Url::parse("http://" + host + "a"));
  EXPECT_TRUE(Url::parse("unix:/" + std::string(106, 'a')));
  EXPECT_FALSE(Url::parse("unix:/" + std::string(107, 'a')));
}

TEST(ListenAddress, IsReadAsWritten) {
  struct Row {
    const char* text;
    const char* host;
    std::uint16_t port;
  };
  for (const Row& row : {Row{"[::]:9090", "::", 9090}, Row{"127.0.0.1:9090", "127.0.0.1", 9090},
                         Row{"localhost:0", "localhost", 0}, Row{"[::1]:65535", "::1", 65535}}) {
    const Result<ListenAddress> address = ListenAddress::parse(row.text);
    ASSERT_TRUE(address) << row.text << ": " << address.error().message;
    EXPECT_EQ(address->host, row.host);
    EXPECT_EQ(address->port, row.port);
    EXPECT_EQ(address->text(), row.text);
  }
}

TEST(ListenAddress, IsRefusedWithTheReason) {
  const Bad rows[] = {{"", "expected host:port"},          {"9090", "expected host:port"},
                      {"localhost", "expected host:port"}, {":9090", "host is missing"},
                      {"::1:9090", "in brackets"},         {"*:9090", "neither a name nor an address"},
                      {"[::]", "expected host:port"},      {"localhost:65536", "0..65535"},
                      {"localhost:", "0..65535"},          {"localhost:http", "0..65535"},
                      {"http://app:80", "in brackets"},    {"a b:80", "neither a name nor an address"}};
  for (const Bad& row : rows) {
    const Result<ListenAddress> address = ListenAddress::parse(row.text);
    ASSERT_FALSE(address) << row.text;
    EXPECT_NE(address.error().message.find(row.words), std::string::npos)
        << row.text << ": " << address.error().message;
  }
}

TEST(Address, IsReadAsWritten) {
  const std::pair<const char*, Address> rows[] = {
      {"127.0.0.1:5432", {"127.0.0.1", 5432, ""}}, {"[FDAA::3]:22", {"fdaa::3", 22, ""}},
      {"DB.internal:1", {"db.internal", 1, ""}},   {"unix:/run/a.sock", {"", 0, "/run/a.sock"}},
      {"unix:///run/a", {"", 0, "/run/a"}},
  };
  for (const auto& [text, address] : rows) {
    const Result<Address> parsed = Address::parse(text);
    ASSERT_TRUE(parsed) << text;
    EXPECT_EQ(*parsed, address) << text;
    EXPECT_EQ(*Address::parse(parsed->text()), address) << text;
  }
}

TEST(Address, IsThatOfAUrl) {
  EXPECT_EQ(Address::of(*Url::parse("https://[::1]/a")).text(), "[::1]:443");
  EXPECT_EQ(Address::of(*Url::parse("unix:/run/a")).text(), "unix:/run/a");
}

}  // namespace
}  // namespace holdshort
