#pragma once
// What a thread is called in top -H, perf and core dumps: at most 15 characters.

#include <pthread.h>

namespace berth {

inline void name_thread(char const* name) {
  (void)pthread_setname_np(pthread_self(), name);
}

}  // namespace berth
