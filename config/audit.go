package config

// Audit is how the audit trail is kept evident.
type Audit struct {
	Checkpoints AuditCheckpoints `yaml:"checkpoints" doc:"Where signed checkpoints of the trail are left, outside of the store. Without one nobody can tell a store that was set back as a whole."`
}

// AuditCheckpoints is where they go: to a file, to an address, or to both.
type AuditCheckpoints struct {
	File    string       `yaml:"file" doc:"A file that they are appended to, best on another machine's disk; relative to this file's folder." example:"/mnt/elsewhere/touchstone.checkpoints"`
	Webhook AlertWebhook `yaml:"webhook" doc:"An address that gets each as JSON, signed like alerts."`
}

const aboutAudit = "Every change and every look at a customer's data leaves a row in the audit trail. The daemon chains the rows by hashes within a second, and signs a checkpoint " +
	"every 1,000 rows, every minute with news, and when it ends. docs/audit.md says what that shows, and what it cannot show."
