//! What a process uses, as the system counts it.

use crate::cli::Failure;

/// Parts of a second that the system counts a process's time in; the same on every Linux.
const TICKS_PER_S: f64 = 100.0;

/// The memory of a process that is in use, in bytes. `self` is our own.
pub(super) fn resident_bytes(process: &str) -> Result<u64, Failure> {
    let status = read(process, "status")?;
    let kib = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.parse().ok());
    kib.map(|kib: u64| kib * 1_024).ok_or_else(|| Failure::failed("the system does not tell what memory is used"))
}

/// How long a process has computed, on all cores together, in seconds.
pub(super) fn cpu_s(process: &str) -> Result<f64, Failure> {
    let stat = read(process, "stat")?;
    // The name of the program comes second and may hold anything.
    let mut fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11);
    let mut next = || fields.next()?.parse::<f64>().ok();
    let ticks = next().zip(next()).map(|(user, system)| user + system);
    ticks
        .map(|ticks| ticks / TICKS_PER_S)
        .ok_or_else(|| Failure::failed("the system does not tell how long we computed"))
}

/// How many files and sockets this process may have open.
pub(super) fn open_files_max() -> Result<u64, Failure> {
    let limits = read("self", "limits")?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    let soft = line.and_then(|line| line.split_whitespace().next());
    Ok(soft.and_then(|soft| soft.parse().ok()).unwrap_or(u64::MAX))
}

fn read(process: &str, what: &str) -> Result<String, Failure> {
    let path = format!("/proc/{process}/{what}");
    std::fs::read_to_string(&path)
        .map_err(|error| Failure::failed(format!("{path}: {error}; this is measured on Linux")))
}
