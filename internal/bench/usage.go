package main

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/shirou/gopsutil/v4/cpu"
	"github.com/shirou/gopsutil/v4/process"
)

// usage is what has been used up to a moment.
type usage struct {
	receiver float64           // processor seconds
	postgres map[int32]float64 // processor seconds of each of its processes
	wal      string            // position in the log
	stolen   float64           // processor seconds that the machine wanted and its host gave to others; 0 where that is not told
}

// meter reads what a round uses up.
type meter struct {
	admin    *pgx.Conn
	postgres int // its first process
}

func (m meter) read(ctx context.Context, receiver int) (usage, error) {
	u := usage{postgres: map[int32]float64{}}
	var err error
	if receiver != 0 {
		if u.receiver, err = processorTime(ctx, int32(receiver)); err != nil {
			return u, err
		}
	}
	first, err := process.NewProcessWithContext(ctx, int32(m.postgres))
	if err != nil {
		return u, fmt.Errorf("find Postgres: %w", err)
	}
	children, err := first.ChildrenWithContext(ctx)
	if err != nil {
		return u, fmt.Errorf("list the processes of Postgres: %w", err)
	}
	for _, p := range children {
		if seconds, err := processorTime(ctx, p.Pid); err == nil { // else it has ended
			u.postgres[p.Pid] = seconds
		}
	}
	all, err := cpu.TimesWithContext(ctx, false)
	if err != nil {
		return u, fmt.Errorf("read the times of the processors: %w", err)
	}
	for _, t := range all {
		u.stolen += t.Steal
	}
	err = m.admin.QueryRow(ctx, "SELECT pg_current_wal_insert_lsn()::text").Scan(&u.wal)
	return u, err
}

// note puts into a round what was used between two readings.
func (m meter) note(ctx context.Context, r *round, before, after usage) error {
	for pid, seconds := range after.postgres {
		r.PostgresCPU += seconds - before.postgres[pid]
	}
	r.ServerCPU, r.Stolen = after.receiver-before.receiver, after.stolen-before.stolen
	return m.admin.QueryRow(ctx, "SELECT pg_wal_lsn_diff($1::pg_lsn, $2::pg_lsn)::float8", after.wal, before.wal).Scan(&r.WAL)
}

func processorTime(ctx context.Context, pid int32) (float64, error) {
	p, err := process.NewProcessWithContext(ctx, pid)
	if err != nil {
		return 0, fmt.Errorf("find process %d: %w", pid, err)
	}
	times, err := p.TimesWithContext(ctx)
	if err != nil {
		return 0, fmt.Errorf("read the times of process %d: %w", pid, err)
	}
	return times.User + times.System, nil
}

// residentMemory is what a process holds, in bytes.
func residentMemory(ctx context.Context, pid int) (uint64, error) {
	p, err := process.NewProcessWithContext(ctx, int32(pid))
	if err != nil {
		return 0, fmt.Errorf("find process %d: %w", pid, err)
	}
	info, err := p.MemoryInfoWithContext(ctx)
	if err != nil {
		return 0, fmt.Errorf("read the memory of process %d: %w", pid, err)
	}
	return info.RSS, nil
}
