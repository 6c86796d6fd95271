// SPDX-License-Identifier: GPL-2.0-only
/*
 * SGI's GRU: drivers/misc/sgi-gru/grutlbpurge.c, with the instructions of
 * gruhandles.c, what answers TLB misses (grufault.c), and what contexts get as their
 * number (grumain.c). The device is memory and a table of what its TLB holds.
 */
#include "drivers.h"
#include <kunit/resource.h>
#include <linux/delay.h>
#include <linux/hrtimer.h>
#include <linux/kthread.h>
#include <linux/mman.h>
#include <linux/vmalloc.h>
#include <asm/uv/uv_hub.h>
#include "points.h"

#define uv_numa_blade_id()	0
#define uv_blade_processor_id()	0
#define uv_soc_phys_ram_to_gpa(paddr)	(paddr)
#include <drivers/misc/sgi-gru/grutlbpurge.c>
#include <drivers/misc/sgi-gru/grumain.c>

/* A miss looks whether an invalidation is under way, and for the page. */
static int gru_look(atomic_t *v)
{
	int ret;

	drivers_point();
	ret = atomic_read(v);
	drivers_point();
	return ret;
}

static long gru_look_up(unsigned long start, unsigned long nr, unsigned int flags,
			struct page **pages);
#define atomic_read(v)		gru_look(v)
#define get_user_pages		gru_look_up
#include <drivers/misc/sgi-gru/grufault.c>
#undef atomic_read
#undef get_user_pages

static void gru_obeys(void *handle);

#define gru_flush_cache(handle)	gru_obeys(handle)
#include <drivers/misc/sgi-gru/gruhandles.c>

#define GRU_TEST_GRUS	2
#define GRU_TEST_TLB	4
#define GRU_TEST_ASID	0x100
#define GRU_TEST_CTX	0x5
#define GRU_TEST_START	0x100000UL
/* Its handles: fault maps, TGHs, CBEs, TFHs and CCHs */
#define GRU_TEST_MCS	(GRU_CCH_BASE + GRU_NUM_CCH * GRU_HANDLE_STRIDE - GRU_MCS_BASE)

struct gru_blade_state *gru_base[GRU_MAX_BLADES];
unsigned long gru_options;
unsigned long gru_start_paddr, gru_end_paddr;
struct gru_stats_s gru_stats;

struct gru_tlb_entry {
	unsigned long vaddr;
	int asid;
	bool valid;
	/* The page that it leads to, and since when the process has had that, see drivers.h */
	unsigned long page, since;
};

/* What was looked up last for an address */
struct gru_page {
	unsigned long pfn, since;
};

/* One blade with two GRUs */
static struct gru_dev {
	struct gru_blade_state blade;
	struct gru_mm_struct *gms;
	struct mm_struct *mm;
	unsigned long buf;
	void *mcs[GRU_TEST_GRUS];
	struct gru_tlb_entry tlb[GRU_TEST_GRUS][GRU_TEST_TLB];
	/* Of the contexts that run on it, 0 if none does */
	int asid[GRU_TEST_GRUS];
	int invalidations, active_seen;
	struct gru_tlb_global_handle last;
	bool slow;
	struct hrtimer timer;
	void *pending;
	/* A miss on the first GRU; an invalidation since has it happen again. */
	struct gru_thread_state gts;
	struct vm_area_struct vma;
	struct gru_tlb_fault_handle *tfh;
	struct gru_control_block_extended *cbe;
	struct gru_instruction_bits cb;
	bool missing, raced;
	/* What was said about a miss before the end of an invalidation */
	int early;
	struct gru_page pages[GRU_TEST_TLB];
} *dev;

static void gru_finish(void *handle)
{
	unsigned long *w0 = handle;

	/* Neither CMD nor STATUS; other bits are the lock's */
	WRITE_ONCE(*w0, *w0 & ~0x30001UL);
}

static enum hrtimer_restart gru_timer(struct hrtimer *timer)
{
	gru_finish(dev->pending);
	return HRTIMER_NORESTART;
}

static long gru_look_up(unsigned long start, unsigned long nr, unsigned int flags,
			struct page **pages)
{
	unsigned long i = (start - dev->buf) >> PAGE_SHIFT;
	long ret;

	drivers_point();
	drivers_settle();
	dev->pages[i].since = drivers_now();
	ret = get_user_pages_remote(dev->mm, start, nr, flags, pages, NULL);
	dev->pages[i].pfn = ret == 1 ? page_to_pfn(pages[0]) : 0;
	drivers_point();
	return ret;
}

/* An entry leads to the page that is in the handle, whatever its address. */
static void gru_new_entry(const struct gru_tlb_fault_handle *tfh)
{
	struct gru_tlb_entry *entry = &dev->tlb[0][0];
	int i = 0;

	while (i < GRU_TEST_TLB - 1 && dev->pages[i].pfn != tfh->pfn)
		i++;
	while (entry->valid && entry->vaddr != tfh->fillvaddr)
		entry++;
	*entry = (struct gru_tlb_entry){
		.vaddr = tfh->fillvaddr, .asid = tfh->fillasid, .valid = true,
		.page = dev->buf + i * PAGE_SIZE, .since = dev->pages[i].since,
	};
}

/*
 * Entries for a miss, the last of which answers it. The hardware drops what comes
 * behind an invalidation, until it has missed again.
 */
static void gru_drop_in(struct gru_tlb_fault_handle *tfh)
{
	drivers_point();
	gru_finish(tfh);
	if (tfh->opc != TFHOP_WRITE_RESTART && tfh->opc != TFHOP_WRITE_ONLY)
		return;
	if (dev->raced) {
		tfh->status = TFHSTATUS_EXCEPTION;
		if (tfh->opc == TFHOP_WRITE_RESTART)
			dev->raced = false;
		return;
	}
	tfh->status = TFHSTATUS_IDLE;
	if (tfh->opc == TFHOP_WRITE_RESTART) {
		dev->missing = false;
		tfh->state = TFHSTATE_IDLE;
	}
	gru_new_entry(tfh);
	drivers_point();
}

/* A context begins to run on a GRU, and stops: what it has begun is done then. */
static void gru_configure(int gid, struct gru_context_configuration_handle *cch)
{
	drivers_point();
	if (cch->opc == CCHOP_START)
		dev->asid[gid] = cch->asid[0];
	else if (cch->opc == CCHOP_INTERRUPT_SYNC || cch->opc == CCHOP_INTERRUPT)
		dev->asid[gid] = 0;
	gru_finish(cch);
	drivers_point();
}

/* The device does what a handle says: a miss is answered, or the TLB invalidated. */
static void gru_obeys(void *handle)
{
	struct gru_tlb_global_handle *tgh = handle;
	int gid, i;

	if (handle == dev->tfh) {
		gru_drop_in(handle);
		return;
	}
	for (gid = 0; gid < GRU_TEST_GRUS; gid++)
		if (handle >= dev->mcs[gid] && handle < dev->mcs[gid] + GRU_TEST_MCS)
			break;
	if (gid < GRU_TEST_GRUS && handle >= dev->mcs[gid] + (GRU_CCH_BASE - GRU_MCS_BASE)) {
		gru_configure(gid, handle);
		return;
	}
	dev->invalidations++;
	dev->last = *tgh;
	dev->active_seen = atomic_read(&dev->gms->ms_range_active);
	if (!gid && dev->missing && tgh->asid == dev->tfh->missasid)
		dev->raced = true;
	for (i = 0; i < GRU_TEST_TLB && gid < GRU_TEST_GRUS; i++) {
		struct gru_tlb_entry *entry = &dev->tlb[gid][i];

		if (entry->asid != tgh->asid || !(tgh->ctxbitmap & GRU_TEST_CTX))
			continue;
		/* So many and it is the whole TLB */
		if (tgh->n + 1 >= GRUMAXINVAL ||
		    (entry->vaddr >= tgh->vaddr &&
		     entry->vaddr < tgh->vaddr + (tgh->n + 1) * PAGE_SIZE))
			entry->valid = false;
	}
	if (!dev->slow) {
		gru_finish(handle);
		return;
	}
	dev->pending = handle;
	hrtimer_start(&dev->timer, ms_to_ktime(20), HRTIMER_MODE_REL_HARD);
}

/* The pages that the contexts can reach though the process has given them up */
static int gru_reach_given_up(void *arg, unsigned long start, unsigned long end)
{
	int gid, i, n = 0;

	for (gid = 0; gid < GRU_TEST_GRUS; gid++) {
		for (i = 0; i < GRU_TEST_TLB; i++) {
			struct gru_tlb_entry *entry = &dev->tlb[gid][i];

			n += entry->valid && entry->asid == dev->asid[gid] &&
			     entry->page >= start && entry->page < end &&
			     drivers_given_up(entry->page, entry->since);
		}
	}
	return n;
}

static void gru_close(void *unused)
{
	int gid;

	hrtimer_cancel(&dev->timer);
	gru_drop_mmu_notifier(dev->gms);
	mmu_notifier_synchronize();
	gru_base[0] = NULL;
	for (gid = 0; gid < GRU_TEST_GRUS; gid++)
		vfree(dev->mcs[gid]);
	kfree(dev);
	dev = NULL;
}

static void gru_open(struct kunit *test)
{
	int gid;

	dev = kzalloc(sizeof(*dev), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, dev);
	hrtimer_init(&dev->timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_HARD);
	dev->timer.function = gru_timer;
	for (gid = 0; gid < GRU_TEST_GRUS; gid++) {
		struct gru_state *gru = &dev->blade.bs_grus[gid];

		dev->mcs[gid] = vzalloc(GRU_TEST_MCS);
		KUNIT_ASSERT_NOT_NULL(test, dev->mcs[gid]);
		gru->gs_gru_base_vaddr = dev->mcs[gid] - GRU_MCS_BASE;
		gru->gs_gid = gid;
	}
	dev->tfh = get_tfh_by_index(&dev->blade.bs_grus[0], 0);
	dev->cbe = get_cbe_by_index(&dev->blade.bs_grus[0], 0);
	/* Which handle of a GRU is used depends on where it is. */
	dev->blade.bs_grus[1].gs_blade_id = 1;
	gru_base[0] = &dev->blade;
	dev->buf = kunit_vm_mmap(test, NULL, 0, GRU_TEST_TLB * PAGE_SIZE,
				 PROT_READ | PROT_WRITE,
				 MAP_ANONYMOUS | MAP_PRIVATE | MAP_POPULATE, 0);
	KUNIT_ASSERT_NE(test, dev->buf, 0);
	dev->mm = current->mm;
	mmap_write_lock(dev->mm);
	dev->gms = gru_register_mmu_notifier();
	mmap_write_unlock(dev->mm);
	KUNIT_ASSERT_FALSE(test, IS_ERR(dev->gms));
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, gru_close, NULL), 0);
	drivers_judge(test, "gru_invalidate_range_start", gru_reach_given_up, NULL);
}

/* A context on a GRU, as gru_load_mm_tracker() leaves it, with TLB entries */
static void gru_load(int gid, unsigned short contexts)
{
	struct gru_mm_tracker *asids = &dev->gms->ms_asids[gid];
	int i;

	asids->mt_asid = GRU_TEST_ASID;
	asids->mt_ctxbitmap = contexts;
	__set_bit(gid, dev->gms->ms_asidmap);
	dev->asid[gid] = contexts ? GRU_TEST_ASID : 0;
	for (i = 0; i < GRU_TEST_TLB; i++)
		dev->tlb[gid][i] = (struct gru_tlb_entry){
			.vaddr = GRU_TEST_START + i * PAGE_SIZE,
			.page = GRU_TEST_START + i * PAGE_SIZE,
			.asid = GRU_TEST_ASID, .valid = true,
			.since = drivers_now(),
		};
}

/* The entries of a GRU's TLB that are valid, as bits */
static int gru_valid(int gid)
{
	int i, valid = 0;

	for (i = 0; i < GRU_TEST_TLB; i++)
		valid |= dev->tlb[gid][i].valid << i;
	return valid;
}

/* The pages of the buffer that the first one's TLB has, as bits */
static int gru_pages(void)
{
	int i, pages = 0;

	for (i = 0; i < GRU_TEST_TLB; i++)
		if (dev->tlb[0][i].valid)
			pages |= 1 << ((dev->tlb[0][i].vaddr - dev->buf) >> PAGE_SHIFT);
	return pages;
}

static struct drivers_call gru_call(unsigned long first, unsigned long pages)
{
	return (struct drivers_call){
		.callback = "gru_invalidate_range_start", .state = DRIVERS_IDLE,
		.list = &dev->gms->ms_notifier, .list_ops = &gru_mmuops,
		.mm = dev->mm, .start = GRU_TEST_START + first * PAGE_SIZE,
		.end = GRU_TEST_START + (first + pages) * PAGE_SIZE,
	};
}

/* A call, and that it was paired */
static void gru_invalidate(struct kunit *test, unsigned long first, unsigned long pages)
{
	struct drivers_call call = gru_call(first, pages);

	drivers_succeeds(test, &call, false);
	KUNIT_EXPECT_EQ(test, atomic_read(&dev->gms->ms_range_active), 0);
}

static void gru_active_is_flushed(struct kunit *test)
{
	struct drivers_call call;

	gru_open(test);
	gru_load(0, GRU_TEST_CTX);
	gru_load(1, GRU_TEST_CTX);
	gru_invalidate(test, 0, GRU_TEST_TLB);
	KUNIT_EXPECT_EQ(test, dev->invalidations, 2);
	KUNIT_EXPECT_EQ(test, dev->active_seen, 1);
	KUNIT_EXPECT_EQ(test, (int)dev->last.ctxbitmap, GRU_TEST_CTX);
	KUNIT_EXPECT_EQ(test, (unsigned long)dev->last.vaddr, GRU_TEST_START);
	KUNIT_EXPECT_EQ(test, (int)dev->last.opc, TGHOP_TLBINV);
	KUNIT_EXPECT_EQ(test, gru_valid(0), 0);
	KUNIT_EXPECT_EQ(test, gru_valid(1), 0);
	/* They run on: the number stays theirs */
	KUNIT_EXPECT_EQ(test, (int)dev->gms->ms_asids[0].mt_asid, GRU_TEST_ASID);

	gru_load(0, GRU_TEST_CTX);
	call = gru_call(0, GRU_TEST_TLB);
	KUNIT_EXPECT_FALSE(test, drivers_blocks(test, &call).waited);
	KUNIT_EXPECT_EQ(test, gru_valid(0), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&dev->gms->ms_range_active), 0);
}

static void gru_edges(struct kunit *test)
{
	gru_open(test);
	gru_load(0, GRU_TEST_CTX);
	gru_invalidate(test, 0, 1);
	KUNIT_EXPECT_EQ(test, gru_valid(0), 0xe);
	gru_invalidate(test, 2, 2);
	KUNIT_EXPECT_EQ(test, gru_valid(0), 0x2);
	KUNIT_EXPECT_EQ(test, (int)dev->last.n, 1);
	KUNIT_EXPECT_EQ(test, (int)dev->last.pagesize, 0);
}

/* More pages than an instruction takes are all of the TLB */
static void gru_large_is_full_purge(struct kunit *test)
{
	gru_open(test);
	gru_load(0, GRU_TEST_CTX);
	dev->tlb[0][3].vaddr = GRU_TEST_START + 5 * GRUMAXINVAL * PAGE_SIZE;
	dev->tlb[0][3].page = dev->tlb[0][3].vaddr;
	gru_invalidate(test, 0, GRUMAXINVAL - 1);
	KUNIT_EXPECT_EQ(test, gru_valid(0), 0x8);
	gru_invalidate(test, 0, 6 * GRUMAXINVAL);
	KUNIT_EXPECT_EQ(test, (int)dev->last.n, GRUMAXINVAL - 1);
	KUNIT_EXPECT_EQ(test, gru_valid(0), 0);
	KUNIT_EXPECT_EQ(test, dev->invalidations, 2);
}

/* No context is loaded: its address space gets a new number instead. */
static void gru_unloaded_loses_asid(struct kunit *test)
{
	gru_open(test);
	gru_load(0, 0);
	gru_load(1, GRU_TEST_CTX);
	gru_invalidate(test, 0, GRU_TEST_TLB);
	KUNIT_EXPECT_EQ(test, dev->invalidations, 1);
	KUNIT_EXPECT_EQ(test, (int)dev->gms->ms_asids[0].mt_asid, 0);
	KUNIT_EXPECT_FALSE(test, test_bit(0, dev->gms->ms_asidmap));
	KUNIT_EXPECT_EQ(test, gru_valid(1), 0);
	KUNIT_EXPECT_TRUE(test, test_bit(1, dev->gms->ms_asidmap));
}

static void gru_unused_succeeds(struct kunit *test)
{
	gru_open(test);
	gru_invalidate(test, 0, GRU_TEST_TLB);
	KUNIT_EXPECT_EQ(test, dev->invalidations, 0);
}

/* The device takes its time: the callback polls. */
static void gru_slow_device(struct kunit *test)
{
	gru_open(test);
	gru_load(0, GRU_TEST_CTX);
	dev->slow = true;
	gru_invalidate(test, 0, GRU_TEST_TLB);
	KUNIT_EXPECT_EQ(test, gru_valid(0), 0);
	KUNIT_EXPECT_FALSE(test, hrtimer_active(&dev->timer));
}

static enum hrtimer_restart gru_unlock_timer(struct hrtimer *timer)
{
	unlock_tgh_handle(dev->pending);
	return HRTIMER_NORESTART;
}

/* The handle is in use by another CPU */
static void gru_handle_held(struct kunit *test)
{
	struct drivers_call call;

	gru_open(test);
	gru_load(0, GRU_TEST_CTX);
	dev->pending = get_tgh_by_index(&dev->blade.bs_grus[0], 0);
	lock_tgh_handle(dev->pending);
	dev->timer.function = gru_unlock_timer;
	hrtimer_start(&dev->timer, ms_to_ktime(50), HRTIMER_MODE_REL_HARD);
	call = gru_call(0, GRU_TEST_TLB);
	call.state = DRIVERS_HELD;
	drivers_succeeds(test, &call, false);
	KUNIT_EXPECT_EQ(test, gru_valid(0), 0);
	KUNIT_EXPECT_TRUE(test, trylock_cch_handle(dev->pending));
}

static int gru_lock_holder(void *held)
{
	spin_lock(&dev->gms->ms_asid_lock);
	complete(held);
	mdelay(50);
	spin_unlock(&dev->gms->ms_asid_lock);
	while (!kthread_should_stop())
		schedule_timeout_interruptible(1);
	return 0;
}

static void gru_lock_held(struct kunit *test)
{
	DECLARE_COMPLETION_ONSTACK(held);
	struct task_struct *task;
	struct drivers_call call;

	gru_open(test);
	gru_load(0, GRU_TEST_CTX);
	task = kthread_run(gru_lock_holder, &held, "lab-gru");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	wait_for_completion(&held);
	call = gru_call(0, GRU_TEST_TLB);
	call.state = DRIVERS_HELD;
	drivers_succeeds(test, &call, false);
	kthread_stop(task);
	KUNIT_EXPECT_EQ(test, gru_valid(0), 0);
}

struct gru_fault {
	struct completion started, done;
};

/* What gru_user_dropin() waits for before it looks at a page table */
static int gru_fault_fn(void *data)
{
	struct gru_fault *fault = data;

	complete(&fault->started);
	wait_event(dev->gms->ms_wait_queue,
		   atomic_read(&dev->gms->ms_range_active) == 0);
	complete(&fault->done);
	while (!kthread_should_stop())
		schedule_timeout_interruptible(1);
	return 0;
}

/* No page gets into the TLB between start and the last end. */
static void gru_faults_wait_for_end(struct kunit *test)
{
	struct mmu_notifier_range range = { .event = MMU_NOTIFY_CLEAR };
	struct mmu_notifier *mn;
	struct gru_fault fault;
	struct task_struct *task;

	gru_open(test);
	mn = &dev->gms->ms_notifier;
	range.mm = dev->mm;
	range.start = GRU_TEST_START;
	range.end = GRU_TEST_START + PAGE_SIZE;
	init_completion(&fault.started);
	init_completion(&fault.done);

	non_block_start();
	KUNIT_EXPECT_EQ(test, gru_mmuops.invalidate_range_start(mn, &range), 0);
	KUNIT_EXPECT_EQ(test, gru_mmuops.invalidate_range_start(mn, &range), 0);
	non_block_end();
	KUNIT_EXPECT_EQ(test, atomic_read(&dev->gms->ms_range_active), 2);
	task = kthread_run(gru_fault_fn, &fault, "lab-gru");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	wait_for_completion(&fault.started);
	msleep(50);
	KUNIT_EXPECT_FALSE(test, completion_done(&fault.done));

	non_block_start();
	gru_mmuops.invalidate_range_end(mn, &range);
	non_block_end();
	msleep(50);
	KUNIT_EXPECT_FALSE(test, completion_done(&fault.done));

	non_block_start();
	gru_mmuops.invalidate_range_end(mn, &range);
	non_block_end();
	KUNIT_EXPECT_NE(test, wait_for_completion_timeout(&fault.done, HZ * 10), 0);
	kthread_stop(task);
}

/* The real notifier, by way of munmap() */
static void gru_unmapped(struct kunit *test)
{
	int len = GRU_TEST_TLB * PAGE_SIZE;
	int i;

	gru_open(test);
	gru_load(0, GRU_TEST_CTX);
	for (i = 0; i < GRU_TEST_TLB; i++) {
		dev->tlb[0][i].vaddr = dev->buf + i * PAGE_SIZE;
		dev->tlb[0][i].page = dev->tlb[0][i].vaddr;
	}
	KUNIT_EXPECT_EQ(test, vm_munmap(dev->buf, len), 0);
	KUNIT_EXPECT_EQ(test, gru_valid(0), 0);
	KUNIT_EXPECT_EQ(test, dev->active_seen, 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&dev->gms->ms_range_active), 0);
}

/* By a process that lives: one call flushes as much as the other. */
static void gru_rehearsed(struct kunit *test)
{
	struct drivers_call call;

	gru_open(test);
	gru_load(0, GRU_TEST_CTX);
	dev->slow = true;
	call = gru_call(0, GRU_TEST_TLB);
	drivers_rehearses(test, &call);
	KUNIT_EXPECT_EQ(test, gru_valid(0), 0);
	KUNIT_EXPECT_EQ(test, dev->invalidations, 2);
	KUNIT_EXPECT_EQ(test, dev->active_seen, 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&dev->gms->ms_range_active), 0);

	/* Nothing is loaded any more */
	gru_load(0, 0);
	drivers_rehearses(test, &call);
	KUNIT_EXPECT_EQ(test, dev->invalidations, 2);
	KUNIT_EXPECT_EQ(test, atomic_read(&dev->gms->ms_range_active), 0);
}

/* A context on the first GRU that has nothing in the TLB, of memory that is there */
static struct drivers_call gru_start_context(void)
{
	struct gru_state *gru = &dev->blade.bs_grus[0];
	struct drivers_call call = gru_call(0, GRU_TEST_TLB);

	spin_lock_init(&gru->gs_asid_lock);
	gru->gs_asid_limit = MAX_ASID;
	dev->gts.ts_gms = dev->gms;
	dev->gts.ts_mm = dev->mm;
	dev->gts.ts_gru = gru;
	dev->gts.ts_sizeavail = GRU_SIZEAVAIL(PAGE_SHIFT);
	dev->asid[0] = gru_load_mm_tracker(gru, &dev->gts);
	call.start = dev->buf;
	call.end = dev->buf + GRU_TEST_TLB * PAGE_SIZE;
	return call;
}

/* The context uses a page that the TLB has not */
static void gru_miss(int page)
{
	dev->tfh->missvaddr = dev->buf + page * PAGE_SIZE;
	dev->tfh->missasid = dev->asid[0];
	dev->tfh->cause = TFHCAUSE_TLB_MISS | TFHCAUSE_TLB_MOD;
	dev->tfh->status = TFHSTATUS_EXCEPTION;
	dev->tfh->state = TFHSTATE_MISS_UPM;
	dev->missing = true;
	dev->raced = false;
}

/* As gru_handle_user_call_os(), until it gets it */
static void gru_use(struct kunit *test, int page)
{
	int tries = 0;

	gru_miss(page);
	while (dev->missing && tries++ < 3) {
		mmap_read_lock(dev->mm);
		KUNIT_EXPECT_EQ(test, gru_user_dropin(&dev->gts, dev->tfh, &dev->cb), 0);
		mmap_read_unlock(dev->mm);
	}
	KUNIT_EXPECT_FALSE(test, dev->missing);
}

/* What it does next: it copies so many pages from the one @page on, or to there. */
static void gru_copies(int page, int pages, bool from)
{
	unsigned long first = dev->buf + page * PAGE_SIZE;

	memset(dev->cbe, 0, sizeof(*dev->cbe));
	dev->cbe->opccpy = OP_BCOPY;
	if (from) {
		dev->cbe->cbe_baddr0 = first;
		dev->cbe->cbe_src_cl = pages * PAGE_SIZE / GRU_CACHE_LINE_BYTES;
	} else {
		dev->cbe->cbe_baddr1 = first;
		dev->cbe->xtypecpy = XTYPE_DW;
		dev->cbe->cbe_nelemcur = pages * PAGE_SIZE / sizeof(u64);
	}
}

/* A miss of a copy brings in what it needs next as well. All of it goes as one page does. */
static void gru_preloads(struct kunit *test)
{
	static const struct {
		int page, pages, preload;
		bool from;
		int has;
	} copies[] = {
		{ 0, 3, 8, true, 0x7 }, { 0, 3, 8, false, 0x7 }, { 0, 4, 1, true, 0x3 },
		{ 1, 3, 2, false, 0xe }, { 2, 1, 8, true, 0x4 }, { 0, 4, 0, true, 0x1 },
	};
	struct drivers_call call, all;
	int i;

	gru_open(test);
	all = gru_start_context();
	for (i = 0; i < ARRAY_SIZE(copies); i++) {
		dev->gts.ts_tlb_preload_count = copies[i].preload;
		gru_copies(copies[i].page, copies[i].pages, copies[i].from);
		gru_use(test, copies[i].page);
		KUNIT_EXPECT_EQ(test, gru_pages(), copies[i].has);
		/* The last page first */
		call = all;
		call.start = dev->buf + (copies[i].page + copies[i].pages - 1) * PAGE_SIZE;
		call.end = call.start + PAGE_SIZE;
		drivers_succeeds(test, &call, false);
		drivers_succeeds(test, &all, false);
		KUNIT_EXPECT_EQ(test, gru_pages(), 0);
	}

	/* Another instruction, and a copy that has missed somewhere else */
	dev->gts.ts_tlb_preload_count = 8;
	gru_copies(0, 3, true);
	dev->cbe->opccpy = OP_VLOAD;
	gru_use(test, 0);
	KUNIT_EXPECT_EQ(test, gru_pages(), 0x1);
	gru_copies(1, 3, true);
	gru_use(test, 0);
	KUNIT_EXPECT_EQ(test, gru_pages(), 0x1);
}

/* The memory ends in the middle of the copy: only what it has missed is there. */
static void gru_preloads_up_to_a_hole(struct kunit *test)
{
	struct drivers_call call;

	gru_open(test);
	call = gru_start_context();
	KUNIT_ASSERT_EQ(test, vm_munmap(dev->buf + 2 * PAGE_SIZE, PAGE_SIZE), 0);
	dev->gts.ts_tlb_preload_count = 8;
	gru_copies(0, 3, true);
	gru_use(test, 0);
	KUNIT_EXPECT_EQ(test, gru_pages(), 0x1);
	drivers_succeeds(test, &call, false);
	KUNIT_EXPECT_EQ(test, gru_pages(), 0);
}

/* Behind the flush, and before the pages go: a miss now is not answered. */
static void gru_miss_before_end(struct mmu_notifier *mn, const struct mmu_notifier_range *range)
{
	gru_miss(1);
	dev->early = gru_try_dropin(&dev->blade.bs_grus[0], &dev->gts, dev->tfh, &dev->cb);
	gru_invalidate_range_end(mn, range);
}

static const struct mmu_notifier_ops gru_miss_before_end_ops = {
	.invalidate_range_start	= gru_invalidate_range_start,
	.invalidate_range_end	= gru_miss_before_end,
};

static void gru_misses_wait_for_end(struct kunit *test)
{
	struct drivers_call call;
	int preload;

	gru_open(test);
	call = gru_start_context();
	call.list_ops = &gru_miss_before_end_ops;
	for (preload = 0; preload < 4; preload += 3) {
		dev->gts.ts_tlb_preload_count = preload;
		gru_copies(0, 4, true);
		gru_use(test, 0);
		gru_copies(1, 3, true);
		drivers_succeeds(test, &call, false);
		KUNIT_EXPECT_EQ(test, dev->early, 1);
		KUNIT_EXPECT_TRUE(test, dev->missing);
		KUNIT_EXPECT_EQ(test, gru_pages(), 0);
		dev->early = 0;
		KUNIT_EXPECT_FALSE(test, drivers_blocks(test, &call).waited);
		KUNIT_EXPECT_EQ(test, dev->early, 1);
		KUNIT_EXPECT_EQ(test, gru_pages(), 0);
	}
}

/* Paths, interrupted */

static void gru_fault_interrupted(struct kunit *test)
{
	struct drivers_call call;

	gru_open(test);
	call = gru_start_context();
	gru_use(test, 0);
	KUNIT_EXPECT_EQ(test, gru_valid(0), 0x1);
	drivers_path(test, "gru_user_dropin", &call);
	gru_use(test, 1);
	gru_use(test, 2);
	drivers_path_end(test);
}

/* With what a copy needs next: three entries, or fewer, for one miss */
static void gru_preload_interrupted(struct kunit *test)
{
	struct drivers_call call;

	gru_open(test);
	call = gru_start_context();
	dev->gts.ts_tlb_preload_count = 2;
	drivers_path(test, "gru_preload_tlb", &call);
	gru_copies(0, 3, true);
	gru_use(test, 0);
	gru_copies(1, 3, false);
	gru_use(test, 1);
	drivers_path_end(test);
}

/* It is taken off the GRU and put there again: what the TLB has may be its own still. */
static void gru_switch_interrupted(struct kunit *test)
{
	struct gru_state *gru;
	struct drivers_call call;

	gru_open(test);
	gru = &dev->blade.bs_grus[0];
	call = gru_start_context();
	gru_use(test, 0);
	gru_use(test, 1);
	drivers_path(test, "gru_unload_mm_tracker, gru_load_mm_tracker", &call);
	drivers_point();
	dev->asid[0] = 0;
	drivers_point();
	gru_unload_mm_tracker(gru, &dev->gts);
	drivers_point();
	dev->asid[0] = gru_load_mm_tracker(gru, &dev->gts);
	drivers_point();
	drivers_path_end(test);
	KUNIT_EXPECT_EQ(test, (int)dev->gms->ms_asids[0].mt_asid, dev->asid[0]);
}

/*
 * The same by the driver's own functions: the context stops, and goes to another number,
 * or starts again with what the TLB has of it.
 */
static void gru_context_switch_interrupted(struct kunit *test)
{
	struct gru_state *gru;
	struct drivers_call call;

	gru_open(test);
	gru = &dev->blade.bs_grus[0];
	call = gru_start_context();
	gru_unload_mm_tracker(gru, &dev->gts);
	dev->asid[0] = 0;
	dev->gts.ts_gru = NULL;
	dev->gts.ts_vma = &dev->vma;
	dev->gts.ts_user_blade_id = -1;
	dev->gts.ts_user_chiplet_id = -1;
	refcount_set(&dev->gts.ts_refcnt, 1);
	spin_lock_init(&gru->gs_lock);
	KUNIT_ASSERT_PTR_EQ(test, gru_assign_gru_context(&dev->gts), gru);
	gru_load_context(&dev->gts);
	gru_use(test, 0);
	gru_use(test, 1);
	drivers_path(test, "gru_unload_context, gru_load_context", &call);
	gru_unload_context(&dev->gts, 1);
	KUNIT_EXPECT_EQ(test, dev->asid[0], 0);
	KUNIT_EXPECT_PTR_EQ(test, gru_assign_gru_context(&dev->gts), gru);
	gru_load_context(&dev->gts);
	drivers_path_end(test);
	KUNIT_EXPECT_NE(test, dev->asid[0], 0);
	KUNIT_EXPECT_EQ(test, (int)dev->gms->ms_asids[0].mt_asid, dev->asid[0]);
}

/* By another thread of the process */
static void gru_invalidation_interrupted(struct kunit *test)
{
	struct drivers_call call, own;

	gru_open(test);
	call = gru_start_context();
	gru_use(test, 0);
	gru_use(test, 1);
	own = call;
	own.end = dev->buf + PAGE_SIZE;
	drivers_path(test, "gru_invalidate_range_start", &call);
	drivers_blocks_here(test, &own);
	drivers_path_end(test);
}

static struct kunit_case gru_cases[] = {
	KUNIT_CASE(gru_active_is_flushed),
	KUNIT_CASE(gru_edges),
	KUNIT_CASE(gru_large_is_full_purge),
	KUNIT_CASE(gru_unloaded_loses_asid),
	KUNIT_CASE(gru_unused_succeeds),
	KUNIT_CASE(gru_slow_device),
	KUNIT_CASE(gru_handle_held),
	KUNIT_CASE(gru_lock_held),
	KUNIT_CASE(gru_faults_wait_for_end),
	KUNIT_CASE(gru_unmapped),
	KUNIT_CASE(gru_rehearsed),
	KUNIT_CASE(gru_preloads),
	KUNIT_CASE(gru_preloads_up_to_a_hole),
	KUNIT_CASE(gru_misses_wait_for_end),
	KUNIT_CASE_PARAM(gru_fault_interrupted, drivers_points),
	KUNIT_CASE_PARAM(gru_preload_interrupted, drivers_points),
	KUNIT_CASE_PARAM(gru_switch_interrupted, drivers_points),
	KUNIT_CASE_PARAM(gru_context_switch_interrupted, drivers_points),
	KUNIT_CASE_PARAM(gru_invalidation_interrupted, drivers_points),
	{}
};

DRIVERS_SUITE(gru, gru_cases);
