package app

import (
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"touchstone/internal/env"
	"touchstone/internal/outbox"
	"touchstone/internal/store"
)

// maxHosts bounds the label of outgoing requests: a server that redirects or
// pages to ever new names must not fill the memory.
const maxHosts = 200

// metrics are the figures of one process, in a registry of their own. Labels are
// names of the configuration, states and host names, never anything of a record.
type metrics struct {
	registry *prometheus.Registry
	clock    env.Clock

	records  *prometheus.CounterVec   // source, outcome
	success  *prometheus.GaugeVec     // source
	pass     *prometheus.HistogramVec // source
	resolved *prometheus.CounterVec   // entity, stage
	writes   *prometheus.CounterVec   // target, outcome
	requests *prometheus.CounterVec   // host, class
	reloads  *prometheus.CounterVec   // outcome
	reloaded prometheus.Gauge

	queue     *prometheus.GaugeVec // queue
	rows      *prometheus.GaugeVec // target, state
	held      *prometheus.GaugeVec // target
	golden    prometheus.Gauge
	sources   *prometheus.GaugeVec // source, entity
	free      prometheus.Gauge
	alerts    *prometheus.GaugeVec // rule
	readError prometheus.Counter
	spans     prometheus.Counter
	spanless  *prometheus.CounterVec // reason

	mu    sync.Mutex
	hosts map[string]bool
	db    *store.DB
	skew  *time.Duration // our clock less that of the last answer
}

func newMetrics(clock env.Clock) *metrics {
	m := &metrics{registry: prometheus.NewRegistry(), clock: clock, hosts: map[string]bool{}}
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "touchstone_" + name, Help: help}, labels)
		m.registry.MustRegister(c)
		return c
	}
	gauge := func(name, help string, labels ...string) *prometheus.GaugeVec {
		g := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "touchstone_" + name, Help: help}, labels)
		m.registry.MustRegister(g)
		return g
	}
	m.records = counter("source_records_total", "Records pulled from a source, by what became of them.", "source", "outcome")
	m.success = gauge("source_last_success_timestamp_seconds", "When a source was last pulled to its end.", "source")
	m.pass = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "touchstone_source_pass_seconds", Help: "How long a pull of a source took, from its first page to its end.",
		Buckets: []float64{0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 14400},
	}, []string{"source"})
	m.registry.MustRegister(m.pass)
	m.resolved = counter("resolver_records_total", "Records derived or resolved.", "entity", "stage")
	m.writes = counter("target_writes_total", "Writes to a target, by what became of them.", "target", "outcome")
	m.requests = counter("http_requests_total", "Requests sent to outside systems, by class of the answer.", "host", "class")
	m.reloads = counter("config_reloads_total", "Configurations that were read anew, by whether they were taken.", "outcome")
	m.reloaded = gauge("config_last_reload_success_timestamp_seconds", "When the configuration in force was taken.").WithLabelValues()
	m.queue = gauge("queue_entries", "What waits, by queue.", "queue")
	m.rows = gauge("outbox_rows", "Writes in the outbox, by state.", "target", "state")
	m.held = gauge("target_held", "1 while a target waits for a person.", "target")
	m.golden = gauge("golden_records", "Golden records that are in force.").WithLabelValues()
	m.sources = gauge("source_records", "Records known of a source.", "source", "entity")
	m.free = gauge("disk_free_bytes", "Room that is left where the data is.").WithLabelValues()
	m.alerts = gauge("alerts", "Incidents that last, by rule.", "rule")
	m.readError = counter("readings_failed_total", "Readings of the store that failed.").WithLabelValues()
	m.spans = counter("trace_spans_sent_total", "Spans that the receiver of traces took.").WithLabelValues()
	m.spanless = counter("trace_spans_dropped_total", "Spans that were left out, by reason.", "reason")
	info := gauge("build_info", "1, with the version of the program.", "version")
	info.WithLabelValues(Version()).Set(1)
	m.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), storeStats{m})
	return m
}

// Handler serves the figures to Prometheus.
func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4, Timeout: 10 * time.Second})
}

func (m *metrics) pulled(source string, c store.Counts) {
	for _, o := range []struct {
		outcome string
		n       int
	}{{"stored", c.Stored}, {"unchanged", c.Unchanged}, {"echo", c.Echo}, {"quarantined", c.Quarantined}, {"filtered", c.Filtered}} {
		m.records.WithLabelValues(source, o.outcome).Add(float64(max(o.n, 0)))
	}
}

func (m *metrics) succeeded(source string, started, ended time.Time) {
	m.success.WithLabelValues(source).Set(seconds(ended))
	m.pass.WithLabelValues(source).Observe(max(ended.Sub(started).Seconds(), 0))
}

func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

func (m *metrics) resolvedRecords(stage, entity string, n int) {
	m.resolved.WithLabelValues(entity, stage).Add(float64(max(n, 0)))
}

func (m *metrics) delivered(target string, r outbox.Report) {
	for _, o := range []struct {
		outcome string
		n       int
	}{{"delivered", r.Delivered}, {"rejected", r.Rejected}, {"unknown", r.Unknown}, {"retried", r.Retried}, {"replanned", r.Replanned}} {
		m.writes.WithLabelValues(target, o.outcome).Add(float64(max(o.n, 0)))
	}
}

func (m *metrics) spansSent(n int) { m.spans.Add(float64(n)) }

func (m *metrics) spansDropped(why string, n int) { m.spanless.WithLabelValues(why).Add(float64(n)) }

func (m *metrics) reload(taken bool) {
	if taken {
		m.reloads.WithLabelValues("taken").Inc()
		m.reloaded.Set(seconds(m.clock.Now()))
		return
	}
	m.reloads.WithLabelValues("refused").Inc()
}

// reading puts what was read of the store into the figures.
func (m *metrics) reading(r reading) {
	if r.err != nil {
		m.readError.Inc()
		return
	}
	m.queue.WithLabelValues("backlog").Set(float64(r.numbers.Backlog))
	m.queue.WithLabelValues("review").Set(float64(r.numbers.Review))
	m.queue.WithLabelValues("quarantine").Set(float64(r.numbers.Quarantined))
	m.golden.Set(float64(r.numbers.Golden))
	m.rows.Reset() // a state that no row is in any more
	for _, t := range r.numbers.ByTarget {
		for state, n := range t.States {
			m.rows.WithLabelValues(t.Target, state).Set(float64(n))
		}
	}
	m.sources.Reset()
	for _, s := range r.numbers.BySource {
		m.sources.WithLabelValues(s.Source, s.Entity).Set(float64(s.Records))
	}
	m.held.Reset()
	for name, why := range r.held {
		held := 0.0
		if why != "" {
			held = 1
		}
		m.held.WithLabelValues(name).Set(held)
	}
	for name, at := range r.success {
		if !at.IsZero() {
			m.success.WithLabelValues(name).Set(seconds(at))
		}
	}
	if r.free >= 0 {
		m.free.Set(float64(r.free))
	}
}

func (m *metrics) incidents(list []incident) {
	m.alerts.Reset()
	for _, i := range list {
		m.alerts.WithLabelValues(i.rule).Inc()
	}
}

// transport counts every request below all retries, by host and class.
func (m *metrics) transport(next http.RoundTripper) http.RoundTripper {
	if next == nil {
		return nil
	}
	return counting{m, next}
}

type counting struct {
	m    *metrics
	next http.RoundTripper
}

func (c counting) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := c.next.RoundTrip(r)
	class := "error"
	if err == nil {
		class = fmt.Sprintf("%dxx", resp.StatusCode/100)
		if resp.StatusCode == http.StatusTooManyRequests {
			class = "429"
		}
		c.m.noteDate(resp.Header.Get("Date"))
	}
	c.m.requests.WithLabelValues(c.m.host(r.URL.Hostname()), class).Inc()
	return resp, err
}

// noteDate holds our clock against the one of an answer.
func (m *metrics) noteDate(text string) {
	at, err := http.ParseTime(text)
	if err != nil {
		return
	}
	d := m.clock.Now().Sub(at)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.skew = &d
}

// takeSkew gives what the last answer showed, once.
func (m *metrics) takeSkew() (d time.Duration, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.skew != nil {
		d, ok = *m.skew, true
	}
	m.skew = nil
	return d, ok
}

func (m *metrics) host(name string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.hosts[name] {
		if len(m.hosts) >= maxHosts {
			return "other"
		}
		m.hosts[name] = true
	}
	return name
}

// storeStats reads at each scrape how busy the one writer is.
type storeStats struct{ m *metrics }

func (storeStats) descs() (waits, waited, open *prometheus.Desc) {
	return prometheus.NewDesc("touchstone_store_write_waits_total", "How often work had to wait for a connection that writes.", nil, nil),
		prometheus.NewDesc("touchstone_store_write_wait_seconds_total", "How long work has waited for a connection that writes.", nil, nil),
		prometheus.NewDesc("touchstone_store_write_connections_busy", "Connections that write right now.", nil, nil)
}

// Describe is part of prometheus.Collector.
func (s storeStats) Describe(ch chan<- *prometheus.Desc) {
	a, b, c := s.descs()
	ch <- a
	ch <- b
	ch <- c
}

// Collect is part of prometheus.Collector.
func (s storeStats) Collect(ch chan<- prometheus.Metric) {
	s.m.mu.Lock()
	db := s.m.db
	s.m.mu.Unlock()
	if db == nil {
		return
	}
	stats := db.Stats()
	a, b, c := s.descs()
	ch <- prometheus.MustNewConstMetric(a, prometheus.CounterValue, float64(stats.WaitCount))
	ch <- prometheus.MustNewConstMetric(b, prometheus.CounterValue, stats.WaitDuration.Seconds())
	ch <- prometheus.MustNewConstMetric(c, prometheus.GaugeValue, float64(stats.InUse))
}

func (m *metrics) watch(db *store.DB) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.db = db
}

// Metrics serves this process's figures in Prometheus' format.
func (a *App) Metrics() http.Handler { return a.life.metrics.handler() }
