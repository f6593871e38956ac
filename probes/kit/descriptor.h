// A file descriptor with one owner.
#pragma once

#include <utility>

namespace holdshort {

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int descriptor) : descriptor_(descriptor) {}
  ~Descriptor() { reset(); }
  Descriptor(Descriptor&& other) noexcept : descriptor_(other.release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept;
  int get() const { return descriptor_; }  // negative: none
  int release() { return std::exchange(descriptor_, -1); }
  void reset();  // closes

 private:
  int descriptor_ = -1;
};

}  // namespace holdshort
