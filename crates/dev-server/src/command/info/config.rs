//! `get-config`: the settings of the server, its addresses and its namespaces.
//!
//! Answers have only the settings that this server honours, by the names and in the order of the real one.

use wire_protocol::ResultCode;

use crate::command::info::InfoSource;
use crate::command::info::parameters::parameter;
use crate::state::store::namespace::Namespace;

impl InfoSource<'_> {
    /// The answer to `get-config`; `None` for a context that this server does not have.
    pub(super) fn config(&self, parameters: &str) -> Option<String> {
        if parameters.is_empty() {
            return Some(format!("{};{}", self.service_config(), self.network_config()));
        }
        let Some(context) = parameter(parameters, "context") else {
            return Some(format!("ERROR:{}:missing 'context'", ResultCode::PARAMETER.get()));
        };
        match context {
            "service" => Some(self.service_config()),
            "network" => Some(self.network_config()),
            "namespace" => Some(self.config_of_namespace(parameters)),
            _ => None,
        }
    }

    fn config_of_namespace(&self, parameters: &str) -> String {
        // The real server has renamed the parameter and still takes the old name.
        let name = parameter(parameters, "id").or_else(|| parameter(parameters, "namespace"));
        let code = ResultCode::NAMESPACE_NOT_FOUND.get();
        match name {
            None | Some("") => format!("ERROR:{code}:missing 'namespace'"),
            Some(name) => match self.store.namespace(name.as_bytes()) {
                Some(namespace) => self.namespace_config(namespace),
                None => format!("ERROR:{code}:namespace not found on node"),
            },
        }
    }

    /// The settings of a namespace, which its statistics contain as well.
    pub(super) fn namespace_config(&self, namespace: &Namespace) -> String {
        let rack = self.cluster.rack(self.node).map(|rack| format!("rack-id={rack};")).unwrap_or_default();
        format!(
            "allow-ttl-without-nsup=true;default-read-touch-ttl-pct=0;default-ttl={};disallow-null-setname=false;\
             max-record-size={};nsup-period={};{rack}read-consistency-level-override=off;\
             reject-non-xdr-writes=false;reject-xdr-writes=false;replication-factor={};strong-consistency={};\
             write-commit-level-override=off;storage-engine=memory",
            namespace.default_ttl,
            namespace.max_record_size,
            self.store.sweep_period,
            self.cluster.replication_factor,
            self.cluster.is_strong,
        )
    }

    fn service_config(&self) -> String {
        format!(
            "batch-max-requests={};cluster-name={};run-as-daemon=false",
            self.store.batch_max_requests, self.cluster.name,
        )
    }

    fn network_config(&self) -> String {
        let (address, port) = (self.local_address.ip(), self.local_address.port());
        if self.cluster.is_tls() {
            format!("service.tls-address={address};service.tls-port={port}")
        } else {
            format!("service.address={address};service.port={port}")
        }
    }
}
