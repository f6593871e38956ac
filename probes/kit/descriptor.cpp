#include "probes/kit/descriptor.h"

#include <unistd.h>

namespace holdshort {

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  if (this == &other) return *this;
  reset();
  descriptor_ = other.release();
  return *this;
}

void Descriptor::reset() {
  if (descriptor_ >= 0) ::close(release());
}

}  // namespace holdshort
