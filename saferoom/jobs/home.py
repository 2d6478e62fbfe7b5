"""A node's home folder: where each thing lies.

node.yaml  policy.yaml  welcome.json      settings, the party's own rules, what the coordinator answered
grades.yaml                               the label holder's own grade scheme, if it has one
keys/                                     private keys, 0600
tls/ca.pem  tls/certificate.pem           the room's authority and this node's certificate
state.db                                  contracts, signatures, jobs, destructions; its version is the home's
state-<version>-<time>.db                 the state as it was before an upgrade
salts.db                                  salts of subjects in the log; can be erased, never leaves the node
log/log.db                                the audit log
log/recovery.json                         the paper on which the present log succeeds a lost one
log/witness.db                            what this node cosigned of other logs
data/                                     registered data sets and local reports on them
models/<job>/                             what a finished job left here
jobs/<job>/                               what a running job writes; moved to models/ or destroyed at its end
checkpoints/<job>/                        growing trees, for a job that resumes a failed one
run/                                      the local administration socket
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from saferoom.audit.log.erasure import wipe_tree
from saferoom.errors import ConfigError, StorageError


@dataclass(frozen=True, slots=True)
class Home:
    root: Path

    @classmethod
    def at(cls, folder: str | Path) -> Home:
        return cls(Path(folder).expanduser().absolute())

    @property
    def settings(self) -> Path:
        return self.root / "node.yaml"

    @property
    def policy(self) -> Path:
        return self.root / "policy.yaml"

    @property
    def grades(self) -> Path:
        return self.root / "grades.yaml"

    @property
    def welcome(self) -> Path:
        return self.root / "welcome.json"

    @property
    def request(self) -> Path:
        return self.root / "request.json"

    @property
    def keys(self) -> Path:
        return self.root / "keys"

    @property
    def helper_keys(self) -> Path:
        return self.root / "helper-keys"

    @property
    def register(self) -> Path:
        return self.root / "register.json"

    @property
    def authority(self) -> Path:
        return self.root / "authority"

    @property
    def tls(self) -> Path:
        return self.root / "tls"

    @property
    def state(self) -> Path:
        return self.root / "state.db"

    @property
    def state_url(self) -> str:
        return f"sqlite:///{self.state}"

    @property
    def salts(self) -> Path:
        return self.root / "salts.db"

    @property
    def log(self) -> Path:
        return self.root / "log" / "log.db"

    @property
    def witness(self) -> Path:
        return self.root / "log" / "witness.db"

    @property
    def recovery(self) -> Path:
        return self.root / "log" / "recovery.json"

    @property
    def log_key(self) -> Path:
        return self.root / "log.key"

    @property
    def data(self) -> Path:
        return self.root / "data"

    def job(self, job_id: str) -> Path:
        return self.root / "jobs" / job_id

    def model(self, job_id: str) -> Path:
        return self.root / "models" / job_id

    def checkpoint(self, job_id: str) -> Path:
        return self.root / "checkpoints" / job_id

    def create(self) -> None:
        """Make the folders, 0700. Raises ConfigError if a node already lives here."""
        if self.settings.exists():
            raise ConfigError(
                f"{self.root} already holds a node",
                remedy="choose another --home, or remove it if you are sure",
            )
        for folder in (
            self.root,
            self.root / "log",
            self.tls,
            self.data,
            self.root / "models",
            self.root / "jobs",
        ):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.root.chmod(0o700)

    def check(self) -> None:
        """Raise ConfigError if no node lives here."""
        if not self.settings.exists():
            raise ConfigError(
                f"{self.root} holds no node",
                remedy="run `saferoom party init` or `saferoom coordinator init` first",
            )

    def keep_job(self, job_id: str) -> None:
        """Move a finished job's results to their place, in one step."""
        target = self.model(job_id)
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if self.job(job_id).exists() and not target.exists():
            self.job(job_id).rename(target)

    def destroy_job(self, job_id: str) -> None:
        """Destroy what an unfinished job wrote; what cannot be destroyed now, the next sweep finds."""
        with suppress(StorageError):
            wipe_tree(self.job(job_id))

    def destroy_checkpoint(self, job_id: str) -> None:
        """Destroy the checkpoint of a job that has finished; as above."""
        with suppress(StorageError):
            wipe_tree(self.checkpoint(job_id))
