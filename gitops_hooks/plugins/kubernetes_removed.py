"""API versions that Kubernetes deprecates or has taken away, with what takes their place (its deprecation guide)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Gone:
    """From which minor version of Kubernetes 1 a kind is deprecated, and not served any more (0: still served)."""

    deprecated: int
    removed: int
    instead: str


_TABLE = {
    "extensions/v1beta1": {
        "DaemonSet Deployment ReplicaSet": Gone(8, 16, "apps/v1"),
        "NetworkPolicy": Gone(9, 16, "networking.k8s.io/v1"),
        "PodSecurityPolicy": Gone(10, 16, "Pod Security Admission"),
        "Ingress": Gone(14, 22, "networking.k8s.io/v1"),
    },
    "apps/v1beta1": {"Deployment StatefulSet ControllerRevision": Gone(8, 16, "apps/v1")},
    "apps/v1beta2": {"DaemonSet Deployment ReplicaSet StatefulSet ControllerRevision": Gone(9, 16, "apps/v1")},
    "networking.k8s.io/v1beta1": {"Ingress IngressClass": Gone(19, 22, "networking.k8s.io/v1")},
    "rbac.authorization.k8s.io/v1alpha1": {
        "ClusterRole ClusterRoleBinding Role RoleBinding": Gone(17, 22, "rbac.authorization.k8s.io/v1")
    },
    "rbac.authorization.k8s.io/v1beta1": {
        "ClusterRole ClusterRoleBinding Role RoleBinding": Gone(17, 22, "rbac.authorization.k8s.io/v1")
    },
    "admissionregistration.k8s.io/v1beta1": {
        "MutatingWebhookConfiguration ValidatingWebhookConfiguration": Gone(16, 22, "admissionregistration.k8s.io/v1"),
    },
    "apiextensions.k8s.io/v1beta1": {"CustomResourceDefinition": Gone(16, 22, "apiextensions.k8s.io/v1")},
    "apiregistration.k8s.io/v1beta1": {"APIService": Gone(10, 22, "apiregistration.k8s.io/v1")},
    "authentication.k8s.io/v1beta1": {"TokenReview": Gone(6, 22, "authentication.k8s.io/v1")},
    "authorization.k8s.io/v1beta1": {
        "LocalSubjectAccessReview SelfSubjectAccessReview SubjectAccessReview SelfSubjectRulesReview": Gone(
            6, 22, "authorization.k8s.io/v1"
        )
    },
    "certificates.k8s.io/v1beta1": {"CertificateSigningRequest": Gone(19, 22, "certificates.k8s.io/v1")},
    "coordination.k8s.io/v1beta1": {"Lease": Gone(14, 22, "coordination.k8s.io/v1")},
    "scheduling.k8s.io/v1alpha1": {"PriorityClass": Gone(14, 17, "scheduling.k8s.io/v1")},
    "scheduling.k8s.io/v1beta1": {"PriorityClass": Gone(14, 22, "scheduling.k8s.io/v1")},
    "storage.k8s.io/v1beta1": {
        "CSIDriver CSINode StorageClass VolumeAttachment": Gone(19, 22, "storage.k8s.io/v1"),
        "CSIStorageCapacity": Gone(24, 27, "storage.k8s.io/v1"),
    },
    "batch/v1beta1": {"CronJob": Gone(21, 25, "batch/v1")},
    "batch/v2alpha1": {"CronJob": Gone(8, 21, "batch/v1")},
    "discovery.k8s.io/v1beta1": {"EndpointSlice": Gone(21, 25, "discovery.k8s.io/v1")},
    "events.k8s.io/v1beta1": {"Event": Gone(19, 25, "events.k8s.io/v1")},
    "autoscaling/v2beta1": {"HorizontalPodAutoscaler": Gone(22, 25, "autoscaling/v2")},
    "autoscaling/v2beta2": {"HorizontalPodAutoscaler": Gone(23, 26, "autoscaling/v2")},
    "policy/v1beta1": {
        "PodDisruptionBudget": Gone(21, 25, "policy/v1"),
        "PodSecurityPolicy": Gone(21, 25, "Pod Security Admission"),
    },
    "node.k8s.io/v1alpha1": {"RuntimeClass": Gone(20, 22, "node.k8s.io/v1")},
    "node.k8s.io/v1beta1": {"RuntimeClass": Gone(22, 25, "node.k8s.io/v1")},
    "flowcontrol.apiserver.k8s.io/v1beta1": {
        "FlowSchema PriorityLevelConfiguration": Gone(23, 26, "flowcontrol.apiserver.k8s.io/v1")
    },
    "flowcontrol.apiserver.k8s.io/v1beta2": {
        "FlowSchema PriorityLevelConfiguration": Gone(26, 29, "flowcontrol.apiserver.k8s.io/v1")
    },
    "flowcontrol.apiserver.k8s.io/v1beta3": {
        "FlowSchema PriorityLevelConfiguration": Gone(29, 32, "flowcontrol.apiserver.k8s.io/v1")
    },
    "v1": {"ComponentStatus": Gone(19, 0, "the health endpoints"), "Endpoints": Gone(33, 0, "discovery.k8s.io/v1")},
}
GONE = {
    (version, kind): gone
    for version, kinds in _TABLE.items()
    for names, gone in kinds.items()
    for kind in names.split()
}
GROUPS = frozenset(version.rpartition("/")[0] for version in _TABLE)
