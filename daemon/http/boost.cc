// The function bodies of Asio and Beast, compiled here once (PACKAGES.md: the cost).
#include <boost/asio/impl/src.hpp>
#include <boost/beast/src.hpp>
