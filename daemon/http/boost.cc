// The function bodies of Asio, Asio's TLS and Beast, compiled here once (PACKAGES.md: the cost).
#include <boost/asio/impl/src.hpp>
#include <boost/asio/ssl/impl/src.hpp>
#include <boost/beast/src.hpp>
