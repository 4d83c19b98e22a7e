//! ASP.NET Core SignalR as a server speaks it, without sockets and clocks.
