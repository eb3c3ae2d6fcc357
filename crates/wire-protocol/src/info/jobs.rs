//! Info commands about background queries.

use crate::error::WireError;

/// The command that asks a node about a job. A node that does not know the job, or has forgotten it, answers with code 2.
#[must_use]
pub fn show_query(task_id: u64) -> String {
    format!("query-show:id={task_id}")
}

/// The command that ends a job on a node. A node on which it does not run answers with code 2.
#[must_use]
pub fn abort_query(task_id: u64) -> String {
    format!("query-abort:id={task_id}")
}

/// A job on one node, from the answer to [`show_query`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct JobStatus {
    /// Whether the job still runs.
    pub is_active: bool,
    /// Whether the job was ended before it was complete.
    pub is_aborted: bool,
    /// How much of the job is done, in percent.
    pub progress: f64,
    /// Records that the operations were applied to.
    pub records: u64,
    /// Records to which the operations could not be applied.
    pub failed: u64,
}

impl JobStatus {
    /// Reads an answer.
    ///
    /// # Errors
    /// An answer without a status, or with a number that cannot be read.
    pub fn parse(answer: &str) -> Result<Self, WireError> {
        let malformed = |why| WireError::malformed("query-show", why);
        let mut status = None;
        let (mut progress, mut records, mut failed) = (0.0, 0, 0);
        for (key, value) in answer.split(':').filter_map(|pair| pair.split_once('=')) {
            let number = || value.parse::<u64>().map_err(|_| malformed("a number cannot be read"));
            match key {
                "status" => status = Some(value),
                "job-progress" => {
                    progress = value
                        .parse()
                        .ok()
                        .filter(|progress| (0.0..=100.0).contains(progress))
                        .ok_or(malformed("the progress cannot be read"))?;
                }
                "recs-succeeded" => records = number()?,
                "recs-failed" => failed = number()?,
                _ => {}
            }
        }
        let status = status.ok_or(malformed("it has no status"))?;
        Ok(Self {
            is_active: status.starts_with("active"),
            is_aborted: status.contains("abort"),
            progress,
            records,
            failed,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_are_read() {
        let active = "trid=1:ns=test:set=s:rps=10000:active-threads=1:status=active(ok):job-progress=2.54:\
                      run-time=274:recs-succeeded=7:recs-failed=1:from=127.0.0.1+51790:job-type=background-ops";
        let expected =
            JobStatus { is_active: true, is_aborted: false, progress: 2.54, records: 7, failed: 1 };
        assert_eq!(JobStatus::parse(active), Ok(expected));
        let done = JobStatus::parse("status=done(user-aborted):job-progress=100.00").unwrap();
        assert_eq!((done.is_active, done.is_aborted), (false, true));
        let malformed =
            ["", "trid=1", "status=done(ok):job-progress=101", "status=done(ok):recs-succeeded=-1"];
        for wrong in malformed {
            assert!(JobStatus::parse(wrong).is_err(), "{wrong}");
        }
    }
}
