#pragma once
// What a program says to the service manager that started it (systemd), and what it is given by it.
// Started by hand there is none: then nothing is said, and nothing is given.

#include <optional>
#include <string>
#include <string_view>

#include "berth/base/time.h"

namespace berth::service {

// Serving: whoever waits for this program may go on. Again after reloading().
void ready();
void reloading();
void stopping();
// One line for `systemctl status`; control characters become spaces.
void set_status(std::string_view line);
// Resets the manager's watchdog; see watchdog.h.
void keep_alive();

// Within what time the manager wants to be told that this program still works; absent: it does not
// ask.
[[nodiscard]] std::optional<Duration> watchdog_interval();

// Path of a secret that the manager handed to this program alone (LoadCredential=, SetCredential=);
// absent: none of that name, or an empty one.
[[nodiscard]] std::optional<std::string> credential(std::string const& name);

}  // namespace berth::service
