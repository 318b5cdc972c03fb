package coordinator

import "time"

const (
	// rateWindow is the time over which a rate is measured.
	rateWindow = 10 * time.Second
	// minRateWindow is how much time must have passed before there is a
	// rate.
	minRateWindow = 400 * time.Millisecond
)

// rateMeter measures how many objects a second a job processes. The
// zero value is ready.
type rateMeter struct {
	marks []mark // of the last seconds, oldest first
}

// mark is a count at a time.
type mark struct {
	at    time.Time
	count int64
}

// update records a count and returns the rate over the last seconds. A
// count that falls, because a worker died with work under way, gives
// rate 0.
func (m *rateMeter) update(now time.Time, objects int64) float64 {
	for len(m.marks) > 1 && now.Sub(m.marks[1].at) > rateWindow {
		m.marks = m.marks[1:]
	}
	n := len(m.marks)
	if n == 0 || now.Sub(m.marks[n-1].at) >= minRateWindow {
		m.marks = append(m.marks, mark{now, objects})
	}

	first := m.marks[0]
	elapsed := now.Sub(first.at)
	if elapsed < minRateWindow || objects < first.count {
		return 0
	}
	return float64(objects-first.count) / elapsed.Seconds()
}
