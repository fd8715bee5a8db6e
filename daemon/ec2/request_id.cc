#include "daemon/ec2/request_id.h"

namespace berth::ec2 {

std::string request_id(Entropy& entropy) {
  std::string out = entropy.hex(32);
  out[12] = '4';                       // version
  out[16] = "89ab"[entropy.below(4)];  // variant
  for (std::size_t at : {8U, 13U, 18U, 23U}) out.insert(at, 1, '-');
  return out;
}

}  // namespace berth::ec2
