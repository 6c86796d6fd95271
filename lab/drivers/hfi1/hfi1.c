// SPDX-License-Identifier: GPL-2.0-only
/*
 * Expected receive of hfi1: drivers/infiniband/hw/hfi1/user_exp_rcv.c. Memory,
 * notifiers and pins are real, the receive array of the hardware is not.
 */
#include "drivers.h"
#include <kunit/resource.h>
#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/kthread.h>
#include <linux/mman.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>
#include "points.h"

static void hfi_locked(spinlock_t *lock);
static void hfi_unlocks(spinlock_t *lock);

static __always_inline void hfi_spin_lock(spinlock_t *lock)
{
	spin_lock(lock);
	hfi_locked(lock);
}

static __always_inline void hfi_spin_unlock(spinlock_t *lock)
{
	hfi_unlocks(lock);
	drivers_spin_unlock(lock);
}

#undef spin_lock
#define spin_lock(lock)		hfi_spin_lock(lock)
#undef spin_unlock
#define spin_unlock(lock)	hfi_spin_unlock(lock)

static dma_addr_t hfi_map(void *addr);
static void hfi_unmap(dma_addr_t addr);
static int hfi_insert(struct mmu_interval_notifier *sub, struct mm_struct *mm,
		      unsigned long start, unsigned long length,
		      const struct mmu_interval_notifier_ops *ops);
static void hfi_release(struct mm_struct *mm, struct page **pages, size_t npages, bool dirty);
static bool hfi_no_memory(void);

/* Versions of the driver differ in what they call, and all end here. */
static __always_inline void *hfi_zalloc(size_t size, gfp_t flags)
{
	return hfi_no_memory() ? NULL : kzalloc(size, flags);
}

#undef dma_map_single
#define dma_map_single(dev, addr, size, dir)	((void)(dev), hfi_map(addr))
#undef dma_unmap_single
#define dma_unmap_single(dev, addr, size, dir)	((void)(dev), hfi_unmap(addr))
#define dma_mapping_error(dev, addr)		((addr) == DMA_MAPPING_ERROR)
#define mmu_interval_notifier_insert		hfi_insert
#include <drivers/infiniband/hw/hfi1/hfi.h>
/* What is written to the receive array waits for this in the processor's buffer. */
static void hfi_flush(void);
#define flush_wc()				hfi_flush()
#define hfi1_release_user_pages			hfi_release
#undef kzalloc
#define kzalloc(size, flags)			hfi_zalloc(size, flags)
#include <drivers/infiniband/hw/hfi1/user_exp_rcv.c>
#undef kzalloc
#undef hfi1_release_user_pages
#undef mmu_interval_notifier_insert
#include <drivers/infiniband/hw/hfi1/exp_rcv.c>
#include <drivers/infiniband/hw/hfi1/user_pages.c>
#undef flush_wc

#define HFI_BASE	0x40
#define HFI_ENTRIES	32
/* What a case may have instead */
#define HFI_MAX_ENTRIES	320
#define HFI_GROUP	8
/* Two groups, and half of another one */
#define HFI_PAGES	20
/* The addresses that the hardware knows are not those of the processor. */
#define HFI_DMA_OFFSET	BIT(45)

/*
 * What an entry of the receive array lets the hardware write to, and whether the
 * hardware knows of it: until the next flush that can't be told.
 */
struct hfi_entry {
	unsigned long pfn;
	unsigned int pages;
	bool unflushed;
};

/* One context at a time */
static struct hfi {
	struct kunit *test;
	struct hfi1_devdata *dd;
	struct hfi1_ctxtdata uctxt;
	struct hfi1_filedata fd;
	struct hfi1_tid_info tinfo;
	struct hfi_entry entries[HFI_MAX_ENTRIES];
	/* Where blank writes go, as they do nothing but flush */
	u64 array[HFI_BASE + HFI_MAX_ENTRIES];
	unsigned long events[HFI1_MAX_SHARED_CTXTS];
	struct mm_struct *mm;
	unsigned long buf, other, tidlist;
	/* Of the buffer */
	unsigned int pages;
	int mapped, maps, fail_map;
	/* Nodes that were allocated, and the one for which there is no memory */
	int nodes, fail_node;
	struct mmu_interval_notifier *cover;
	void (*in_setup)(struct kunit *test);
	/* once, when the first entry has its notifier and is not programmed */
	void (*inserted)(struct kunit *test);
	struct tid_rb_node *inserted_node;
	/* once, when a setup has programmed what it can, and holds no lock */
	void (*programmed)(struct kunit *test);
	/* When the lock of it was taken, and when it was released last */
	u32 used_at_lock, used_at_unlock;
	bool gone;
	/* munmap() of the buffer was called in a path */
	bool unmapped;
	/* for calls at a time at which it is not known which notifiers there are */
	struct mmu_interval_notifier stand_in;
} *hfi;

static void hfi_locked(spinlock_t *lock)
{
	if (hfi && lock == &hfi->fd.tid_lock)
		hfi->used_at_lock = hfi->fd.tid_used;
}

static void hfi_unlocks(spinlock_t *lock)
{
	if (hfi && lock == &hfi->fd.tid_lock)
		hfi->used_at_unlock = hfi->fd.tid_used;
}

void hfi1_put_tid(struct hfi1_devdata *dd, u32 index, u32 type, unsigned long pa,
		  u16 order)
{
	struct hfi_entry *entry = &hfi->entries[index - HFI_BASE];
	struct tid_rb_node *node = hfi->fd.entry_to_rb[index - HFI_BASE];

	drivers_point();
	if (type == PT_EXPECTED) {
		/* Or munmap() may clear the entry before it is written */
		KUNIT_EXPECT_TRUE(hfi->test, lockdep_is_held(&node->invalidate_mutex));
		KUNIT_EXPECT_GE(hfi->test, pa, HFI_DMA_OFFSET);
		pa &= ~HFI_DMA_OFFSET;
	}
	entry->pages = type == PT_EXPECTED ? 1 << (order - 1) : 0;
	entry->pfn = PHYS_PFN(pa);
	entry->unflushed = true;
	/* As the real one does it */
	if (type == PT_INVALID_FLUSH || (index & 3) == 3)
		hfi_flush();
	drivers_point();
}

static void hfi_flush(void)
{
	int i;

	for (i = 0; i < hfi->uctxt.expected_count; i++)
		hfi->entries[i].unflushed = false;
}

/* Entries of which the hardware may not know yet */
static int hfi_unflushed(void)
{
	int i, n = 0;

	for (i = 0; i < hfi->uctxt.expected_count; i++)
		n += hfi->entries[i].unflushed;
	return n;
}

void hfi1_clear_tids(struct hfi1_ctxtdata *rcd)
{
}

void __hfi1_trace_TID(const char *func, char *fmt, ...)
{
}

/* While entries are programmed nothing but their nodes is allocated. */
static bool hfi_no_memory(void)
{
	if (!hfi || !lockdep_is_held(&hfi->uctxt.exp_mutex) || ++hfi->nodes != hfi->fail_node)
		return false;
	drivers_failure("no memory for a node");
	return true;
}

static dma_addr_t hfi_map(void *addr)
{
	if (hfi->in_setup && hfi->maps == 1)
		hfi->in_setup(hfi->test);
	drivers_point();
	if (++hfi->maps == hfi->fail_map) {
		drivers_failure("no DMA address");
		return DMA_MAPPING_ERROR;
	}
	hfi->mapped++;
	return virt_to_phys(addr) + HFI_DMA_OFFSET;
}

/* The entry has to be invalid before the hardware's mapping goes. */
static void hfi_unmap(dma_addr_t addr)
{
	int i;

	drivers_point();
	for (i = 0; i < hfi->uctxt.expected_count; i++)
		KUNIT_EXPECT_FALSE(hfi->test, hfi->entries[i].pages &&
				   hfi->entries[i].pfn == PHYS_PFN(addr - HFI_DMA_OFFSET));
	hfi->mapped--;
}

static int hfi_insert(struct mmu_interval_notifier *sub, struct mm_struct *mm,
		      unsigned long start, unsigned long length,
		      const struct mmu_interval_notifier_ops *ops)
{
	void (*inserted)(struct kunit *test) = NULL;
	int ret;

	if (ops == &tid_cover_ops) {
		hfi->cover = sub;
	} else {
		swap(inserted, hfi->inserted);
		hfi->inserted_node = container_of(sub, struct tid_rb_node, notifier);
	}
	drivers_point();
	ret = mmu_interval_notifier_insert(sub, mm, start, length, ops);
	if (!ret && inserted)
		inserted(hfi->test);
	return ret;
}

/* What is not DMA-mapped is what a setup does not cover: it comes when that is known. */
static void hfi_release(struct mm_struct *mm, struct page **pages, size_t npages, bool dirty)
{
	void (*programmed)(struct kunit *test) = NULL;

	if (!dirty)
		swap(programmed, hfi->programmed);
	hfi1_release_user_pages(mm, pages, npages, dirty);
	if (programmed)
		programmed(hfi->test);
}

static int hfi_programmed(void)
{
	int i, n = 0;

	for (i = 0; i < hfi->uctxt.expected_count; i++)
		n += !!hfi->entries[i].pages;
	return n;
}

/*
 * The pages that the hardware can reach and that nobody keeps from being freed.
 * They get the missing pin, so that the rest of the case does no damage.
 */
static int hfi_unpinned(void)
{
	unsigned int i, j, n = 0;

	for (i = 0; i < hfi->uctxt.expected_count; i++) {
		for (j = 0; j < hfi->entries[i].pages; j++) {
			struct folio *folio = pfn_folio(hfi->entries[i].pfn + j);

			if (folio_maybe_dma_pinned(folio))
				continue;
			folio_ref_add(folio, GUP_PIN_COUNTING_BIAS);
			hfi->fd.tid_n_pinned++;
			atomic64_inc(&hfi->mm->pinned_vm);
			n++;
		}
	}
	return n;
}

/* The same for the judge: whatever was given up, what is reached has to be pinned. */
static int hfi_reach_unpinned(void *arg, unsigned long start, unsigned long end)
{
	unsigned int i, j, n = 0;

	for (i = 0; i < hfi->uctxt.expected_count; i++) {
		for (j = 0; j < READ_ONCE(hfi->entries[i].pages); j++) {
			if (folio_maybe_dma_pinned(pfn_folio(hfi->entries[i].pfn + j)))
				continue;
			/* exit_mmap() of the case's thread may be clearing it. */
			smp_rmb();
			n += j < READ_ONCE(hfi->entries[i].pages);
		}
	}
	return n;
}

/* By how much the count of a list is wrong */
static int hfi_miscounted(struct exp_tid_set *set)
{
	return abs((int)set->count - (int)list_count_nodes(&set->list));
}

/*
 * Groups that are not in the list for what they have in use, or in none, and lists
 * that are counted wrong; groups in use are moved.
 */
static int hfi_misplaced(void)
{
	struct hfi1_ctxtdata *uctxt = &hfi->uctxt;
	struct tid_group *grp, *next;
	int n = 0, groups;

	n += hfi_miscounted(&uctxt->tid_group_list);
	n += hfi_miscounted(&uctxt->tid_used_list);
	n += hfi_miscounted(&uctxt->tid_full_list);
	groups = list_count_nodes(&uctxt->tid_group_list.list) +
		 list_count_nodes(&uctxt->tid_used_list.list) +
		 list_count_nodes(&uctxt->tid_full_list.list);
	n += uctxt->expected_count / HFI_GROUP - groups;

	list_for_each_entry_safe(grp, next, &uctxt->tid_group_list.list, list) {
		if (!grp->used)
			continue;
		tid_group_move(grp, &uctxt->tid_group_list, &uctxt->tid_used_list);
		n++;
	}
	list_for_each_entry(grp, &uctxt->tid_used_list.list, list)
		n += !grp->used || grp->used == grp->size;
	list_for_each_entry(grp, &uctxt->tid_full_list.list, list)
		n += grp->used != grp->size;
	return n;
}

static void hfi_close(void *unused)
{
	int i;

	/* exit_mmap() comes with the end of the thread that ran the case. */
	for (i = 0; i < 500 && hfi_programmed() && !hfi->gone; i++)
		msleep(20);
	KUNIT_EXPECT_EQ(hfi->test, hfi_programmed(), 0);

	hfi1_user_exp_rcv_free(&hfi->fd);
	KUNIT_EXPECT_EQ(hfi->test, hfi_programmed(), 0);
	KUNIT_EXPECT_EQ(hfi->test, hfi->mapped, 0);
	KUNIT_EXPECT_EQ(hfi->test, hfi->fd.tid_n_pinned, 0);
	KUNIT_EXPECT_EQ(hfi->test, atomic64_read(&hfi->mm->pinned_vm), 0);
	kfree(hfi->uctxt.groups);
	mmdrop(hfi->mm);
}

static void hfi_open_large(struct kunit *test, unsigned int entries, unsigned int pages)
{
	struct hfi1_ctxtdata *uctxt;

	hfi = kunit_kzalloc(test, sizeof(*hfi), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, hfi);
	hfi->test = test;
	/* The first one gives the thread an address space. */
	hfi->tidlist = kunit_vm_mmap(test, NULL, 0, PAGE_SIZE, PROT_READ | PROT_WRITE,
				     MAP_ANONYMOUS | MAP_PRIVATE, 0);
	KUNIT_ASSERT_NE(test, hfi->tidlist, 0);
	hfi->mm = current->mm;
	hfi->dd = kunit_kzalloc(test, sizeof(*hfi->dd), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, hfi->dd);
	hfi->dd->pcidev = kunit_kzalloc(test, sizeof(*hfi->dd->pcidev), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, hfi->dd->pcidev);
	hfi->dd->pcidev->dev.init_name = "hfi1-test";
	hfi->dd->events = hfi->events;
	hfi->dd->flags = HFI1_PRESENT;
	hfi->dd->rcvarray_wc = (void __iomem *)hfi->array;
	hfi->dd->rcv_entries.group_size = HFI_GROUP;
	hfi->dd->num_rcv_contexts = 2;
	hfi->dd->first_dyn_alloc_ctxt = 1;

	uctxt = &hfi->uctxt;
	uctxt->dd = hfi->dd;
	uctxt->ctxt = 1;
	uctxt->numa_id = NUMA_NO_NODE;
	uctxt->expected_base = HFI_BASE;
	uctxt->expected_count = entries;
	hfi->pages = pages;
	mutex_init(&uctxt->exp_mutex);
	hfi1_exp_tid_group_init(uctxt);
	KUNIT_ASSERT_EQ(test, hfi1_alloc_ctxt_rcv_groups(uctxt), 0);

	hfi->fd.dd = hfi->dd;
	hfi->fd.uctxt = uctxt;
	spin_lock_init(&hfi->fd.tid_lock);
	spin_lock_init(&hfi->fd.invalid_lock);
	KUNIT_ASSERT_EQ(test, hfi1_user_exp_rcv_init(&hfi->fd, uctxt), 0);
	KUNIT_ASSERT_TRUE(test, hfi->fd.use_mn);
	mmgrab(hfi->mm);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, hfi_close, NULL), 0);
	drivers_judge(test, "tid_rb_invalidate", hfi_reach_unpinned, NULL);
}

static void hfi_open(struct kunit *test)
{
	hfi_open_large(test, HFI_ENTRIES, HFI_PAGES);
}

static struct page *hfi_page(struct kunit *test, int i)
{
	struct page *page;

	KUNIT_ASSERT_EQ(test, get_user_pages_fast(hfi->buf + i * PAGE_SIZE, 1, FOLL_WRITE,
						  &page), 1);
	return page;
}

/* Has another page faulted in until it is not the one behind that in front of it */
static void hfi_part_pages(struct kunit *test)
{
	struct page *before = NULL, *page;
	int i, tries;

	for (i = 0; i < hfi->pages; i++) {
		page = hfi_page(test, i);
		for (tries = 0; before && page_to_pfn(page) == page_to_pfn(before) + 1; tries++) {
			struct vm_area_struct *vma;

			KUNIT_ASSERT_LT(test, tries, 10);
			mmap_read_lock(current->mm);
			vma = vma_lookup(current->mm, hfi->buf);
			zap_vma_range(vma, hfi->buf + i * PAGE_SIZE, PAGE_SIZE);
			mmap_read_unlock(current->mm);
			/* The page is kept until another one is there. */
			before = page;
			page = hfi_page(test, i);
			put_page(before);
			before = i ? hfi_page(test, i - 1) : NULL;
			if (before)
				put_page(before);
		}
		put_page(page);
		before = page;
	}
}

/* A buffer whose pages do not lie one behind the other, to have many entries */
static void hfi_new_buffer(struct kunit *test)
{
	unsigned long at;
	int i;

	hfi->buf = kunit_vm_mmap(test, NULL, 0, hfi->pages * PAGE_SIZE,
				 PROT_READ | PROT_WRITE,
				 MAP_ANONYMOUS | MAP_PRIVATE, 0);
	KUNIT_ASSERT_NE(test, hfi->buf, 0);
	for (i = 0; i < hfi->pages; i++) {
		at = 2 * i < hfi->pages ? 2 * i : 2 * i - hfi->pages + 1;
		KUNIT_ASSERT_EQ(test, put_user(1, (int __user *)(hfi->buf + at * PAGE_SIZE)), 0);
	}
	hfi_part_pages(test);
	hfi->tinfo.vaddr = hfi->buf;
	hfi->tinfo.length = hfi->pages * PAGE_SIZE;
	hfi->tinfo.tidlist = hfi->tidlist;
}

static int hfi_setup(struct kunit *test)
{
	hfi_new_buffer(test);
	return hfi1_user_exp_rcv_setup(&hfi->fd, &hfi->tinfo);
}

/* The first buffer that is registered */
static struct tid_rb_node *hfi_node(struct kunit *test)
{
	struct tid_rb_node *node = NULL;
	int i;

	hfi_open(test);
	KUNIT_ASSERT_EQ(test, hfi_setup(test), 0);
	KUNIT_ASSERT_EQ(test, hfi->tinfo.length, HFI_PAGES * PAGE_SIZE);
	KUNIT_ASSERT_EQ(test, hfi->tinfo.tidcnt, HFI_PAGES);
	KUNIT_ASSERT_EQ(test, hfi_programmed(), hfi->tinfo.tidcnt);
	for (i = 0; i < hfi->uctxt.expected_count && !node; i++)
		node = hfi->fd.entry_to_rb[i];
	KUNIT_ASSERT_NOT_NULL(test, node);
	return node;
}

static struct drivers_call hfi_call(struct tid_rb_node *node, enum mmu_notifier_event event)
{
	return (struct drivers_call){
		.callback = "tid_rb_invalidate", .state = DRIVERS_IDLE,
		.interval = &node->notifier, .interval_ops = &tid_mn_ops,
		.mm = hfi->mm, .start = hfi->buf,
		.end = hfi->buf + HFI_PAGES * PAGE_SIZE,
		.event = event, .event_set = true,
		.no_seq = true,
	};
}

/* All as it was after setup */
static void hfi_untouched(struct kunit *test, struct tid_rb_node *node)
{
	KUNIT_EXPECT_FALSE(test, node->freed);
	KUNIT_EXPECT_EQ(test, hfi_programmed(), hfi->tinfo.tidcnt);
	KUNIT_EXPECT_EQ(test, hfi->mapped, hfi->tinfo.tidcnt);
	KUNIT_EXPECT_EQ(test, hfi->fd.tid_n_pinned, HFI_PAGES);
	KUNIT_EXPECT_EQ(test, hfi->fd.invalid_tid_idx, 0);
	KUNIT_EXPECT_EQ(test, hfi->events[0], 0);
	KUNIT_EXPECT_EQ(test, hfi_unpinned(), 0);
}

/* What munmap() leaves of an entry */
static void hfi_cleared(struct kunit *test, struct tid_rb_node *node)
{
	KUNIT_EXPECT_TRUE(test, node->freed);
	KUNIT_EXPECT_EQ(test, hfi->entries[node->rcventry - HFI_BASE].pages, 0);
	KUNIT_EXPECT_EQ(test, hfi->fd.tid_n_pinned, HFI_PAGES - node->npages);
	KUNIT_EXPECT_EQ(test, hfi->mapped, hfi->tinfo.tidcnt - 1);
	KUNIT_EXPECT_EQ(test, hfi->fd.invalid_tid_idx, 1);
	KUNIT_EXPECT_EQ(test, hfi->fd.invalid_tids[0],
			create_tid(node->rcventry - HFI_BASE, node->npages));
	KUNIT_EXPECT_EQ(test, hfi->events[0], BIT(_HFI1_EVENT_TID_MMU_NOTIFY_BIT));
	KUNIT_EXPECT_EQ(test, hfi_unpinned(), 0);
}

static void tid_clear_keeps_pins(struct kunit *test)
{
	struct tid_rb_node *node = hfi_node(test);
	struct drivers_call call = hfi_call(node, MMU_NOTIFY_CLEAR);

	drivers_succeeds(test, &call, false);
	hfi_untouched(test, node);
	drivers_blocks(test, &call);
	hfi_untouched(test, node);
}

static void tid_unmap_keeps_pins(struct kunit *test)
{
	struct tid_rb_node *node = hfi_node(test);
	struct drivers_call call = hfi_call(node, MMU_NOTIFY_UNMAP);

	drivers_succeeds(test, &call, false);
	hfi_untouched(test, node);
}

static void tid_any_event_keeps_pins(struct kunit *test)
{
	struct tid_rb_node *node = hfi_node(test);
	enum mmu_notifier_event event;

	for (event = MMU_NOTIFY_PROTECTION_VMA; event <= MMU_NOTIFY_EXCLUSIVE; event++) {
		struct drivers_call call = hfi_call(node, event);

		drivers_succeeds(test, &call, false);
		/* mprotect(), fork(), migration: nothing but munmap() clears entries. */
		KUNIT_EXPECT_FALSE(test, drivers_blocks(test, &call).waited);
		hfi_untouched(test, node);
	}
}

/* MUTEX_FLAG_WAITERS, which is private */
#define HFI_MUTEX_WAITERS	BIT(0)

/*
 * Holds a mutex. A thread of its own, as that of the case allocates memory to call
 * the callback, which must not be done under a lock that the callback takes.
 */
struct hfi_holder {
	struct mutex *mutex;
	/* Not longer than until somebody waits for it; that was seen */
	bool until_wanted, wanted;
	struct completion held, let_go;
	struct task_struct *task;
};

static int hfi_hold_fn(void *data)
{
	struct hfi_holder *holder = data;

	mutex_lock(holder->mutex);
	complete(&holder->held);
	while (!holder->wanted &&
	       !wait_for_completion_timeout(&holder->let_go, holder->until_wanted ?
					    1 : MAX_SCHEDULE_TIMEOUT))
		holder->wanted = atomic_long_read(&holder->mutex->owner) & HFI_MUTEX_WAITERS;
	mutex_unlock(holder->mutex);
	while (!kthread_should_stop())
		schedule_timeout_interruptible(1);
	return 0;
}

static void hfi_hold(struct kunit *test, struct hfi_holder *holder, struct mutex *mutex)
{
	holder->mutex = mutex;
	init_completion(&holder->held);
	init_completion(&holder->let_go);
	holder->task = kthread_run(hfi_hold_fn, holder, "lab-hfi1");
	KUNIT_ASSERT_FALSE(test, IS_ERR(holder->task));
	wait_for_completion(&holder->held);
}

static void hfi_let_go(void *holder)
{
	complete(&((struct hfi_holder *)holder)->let_go);
}

static void hfi_drop(struct hfi_holder *holder)
{
	complete(&holder->let_go);
	kthread_stop(holder->task);
}

/* One call with @mutex held by somebody else */
static struct drivers_outcome hfi_call_held(struct kunit *test, struct drivers_call *call,
					    struct mutex *mutex)
{
	struct hfi_holder holder = {};
	struct drivers_outcome out;

	call->let_go = hfi_let_go;
	call->arg = &holder;
	hfi_hold(test, &holder, mutex);
	out = drivers_call(test, call);
	hfi_drop(&holder);
	KUNIT_EXPECT_TRUE(test, out.success);
	return out;
}

static void tid_held(struct kunit *test)
{
	struct tid_rb_node *node = hfi_node(test);
	struct drivers_call call = hfi_call(node, MMU_NOTIFY_UNMAP);

	call.state = DRIVERS_HELD;
	KUNIT_EXPECT_FALSE(test, hfi_call_held(test, &call, &node->invalidate_mutex).waited);
	hfi_untouched(test, node);
	if (node->freed)
		return;

	call.state = DRIVERS_BLOCKING;
	KUNIT_EXPECT_TRUE(test, hfi_call_held(test, &call, &node->invalidate_mutex).waited);
	hfi_cleared(test, node);
}

static void hfi_unlock_folio(void *folio)
{
	folio_unlock(folio);
}

/* A trylock of the mutex would not do */
static void tid_folio_locked(struct kunit *test)
{
	struct tid_rb_node *node = hfi_node(test);
	struct drivers_call call = hfi_call(node, MMU_NOTIFY_UNMAP);
	struct folio *folio = page_folio(node->pages[0]);
	bool waited;

	/* unpin_user_pages_dirty_lock() takes the lock of clean folios only */
	folio_clear_dirty(folio);
	call.state = DRIVERS_HELD;
	call.let_go = hfi_unlock_folio;
	call.arg = folio;
	folio_lock(folio);
	waited = drivers_call(test, &call).waited;
	KUNIT_EXPECT_FALSE(test, waited);
	if (!waited)
		folio_unlock(folio);
	hfi_untouched(test, node);
	if (node->freed)
		return;

	folio_lock(folio);
	KUNIT_EXPECT_TRUE(test, drivers_blocks(test, &call).waited);
	hfi_cleared(test, node);
}

static void tid_freed_succeeds(struct kunit *test)
{
	struct tid_rb_node *node = hfi_node(test);
	struct drivers_call call = hfi_call(node, MMU_NOTIFY_UNMAP);

	KUNIT_EXPECT_FALSE(test, drivers_blocks(test, &call).waited);
	hfi_cleared(test, node);
	call.state = DRIVERS_IDLE;
	drivers_succeeds(test, &call, false);
	hfi_cleared(test, node);
	drivers_blocks(test, &call);
	hfi_cleared(test, node);
}

static void tid_ignored_then_blocking(struct kunit *test)
{
	struct tid_rb_node *node = hfi_node(test);
	struct drivers_call call = hfi_call(node, MMU_NOTIFY_UNMAP);

	drivers_succeeds(test, &call, false);
	drivers_blocks(test, &call);
	hfi_cleared(test, node);
}

/* The reaper first, then munmap() with the real notifiers */
static void tid_ignored_then_unmapped(struct kunit *test)
{
	struct tid_rb_node *node = hfi_node(test);
	struct drivers_call call = hfi_call(node, MMU_NOTIFY_UNMAP);
	int pages = HFI_PAGES;

	drivers_succeeds(test, &call, false);
	hfi_untouched(test, node);
	KUNIT_EXPECT_EQ(test, vm_munmap(hfi->buf, pages * PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, hfi_programmed(), 0);
	KUNIT_EXPECT_EQ(test, hfi->mapped, 0);
	KUNIT_EXPECT_EQ(test, hfi->fd.tid_n_pinned, 0);
	KUNIT_EXPECT_EQ(test, hfi->fd.invalid_tid_idx, hfi->tinfo.tidcnt);
}

/*
 * The reaper first, then exit_mmap(), which comes before the file is closed. That
 * it clears all entries is seen in hfi_close().
 */
static void tid_ignored_then_exit(struct kunit *test)
{
	struct tid_rb_node *node = hfi_node(test);
	struct drivers_call call = hfi_call(node, MMU_NOTIFY_UNMAP);

	drivers_succeeds(test, &call, false);
	hfi_untouched(test, node);
}

static struct drivers_call cover_call(struct mmu_interval_notifier *cover,
				      enum mmu_notifier_event event)
{
	return (struct drivers_call){
		.callback = "tid_cover_invalidate", .state = DRIVERS_IDLE,
		.interval = cover, .interval_ops = &tid_cover_ops,
		.mm = hfi->mm, .start = hfi->buf,
		.end = hfi->buf + HFI_PAGES * PAGE_SIZE,
		.event = event, .event_set = true,
	};
}

static void cover_never_waits(struct kunit *test)
{
	struct tid_user_buf *tidbuf;
	struct drivers_call call;
	enum mmu_notifier_event event;
	struct drivers_outcome out;

	hfi_open(test);
	tidbuf = kunit_kzalloc(test, sizeof(*tidbuf), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, tidbuf);
	mutex_init(&tidbuf->cover_mutex);
	for (event = MMU_NOTIFY_UNMAP; event <= MMU_NOTIFY_EXCLUSIVE; event++) {
		call = cover_call(&tidbuf->notifier, event);
		drivers_succeeds(test, &call, false);

		call.state = DRIVERS_HELD;
		out = hfi_call_held(test, &call, &tidbuf->cover_mutex);
		KUNIT_EXPECT_FALSE(test, out.waited);

		/* Blocking: only munmap() makes setup fail. */
		call.state = DRIVERS_BLOCKING;
		out = hfi_call_held(test, &call, &tidbuf->cover_mutex);
		KUNIT_EXPECT_EQ(test, out.waited, event == MMU_NOTIFY_UNMAP);
		KUNIT_EXPECT_EQ(test, out.seq_set, event == MMU_NOTIFY_UNMAP);
	}
}

static void cover_reap(struct kunit *test)
{
	struct drivers_call call = cover_call(hfi->cover, MMU_NOTIFY_UNMAP);
	unsigned long seq = hfi->cover->invalidate_seq;

	drivers_succeeds(test, &call, false);
	if (hfi->cover->invalidate_seq == 1)
		hfi->cover->invalidate_seq = seq;
}

static void cover_reaped_in_setup(struct kunit *test)
{
	hfi_open(test);
	hfi->in_setup = cover_reap;
	KUNIT_EXPECT_EQ(test, hfi_setup(test), 0);
	/* It was called. */
	KUNIT_EXPECT_GT(test, hfi->maps, 1);
	KUNIT_EXPECT_GT(test, hfi_programmed(), 0);
	KUNIT_EXPECT_EQ(test, hfi_unpinned(), 0);
}

static void cover_unmap(struct kunit *test)
{
	struct drivers_call call = cover_call(hfi->cover, MMU_NOTIFY_UNMAP);

	drivers_blocks(test, &call);
}

static void cover_unmapped_in_setup(struct kunit *test)
{
	hfi_open(test);
	hfi->in_setup = cover_unmap;
	KUNIT_EXPECT_EQ(test, hfi_setup(test), -EBUSY);
	KUNIT_EXPECT_EQ(test, hfi_unpinned(), 0);
}

/* By a process that lives: munmap() takes all entries from the hardware, once. */
static void rehearsed(struct kunit *test)
{
	struct tid_rb_node *node = hfi_node(test);
	struct drivers_call call = hfi_call(node, MMU_NOTIFY_UNMAP);
	struct hfi_holder holder = {};

	call.let_go = hfi_let_go;
	call.arg = &holder;
	hfi_hold(test, &holder, &node->invalidate_mutex);
	KUNIT_EXPECT_TRUE(test, drivers_rehearses(test, &call).waited);
	hfi_drop(&holder);
	KUNIT_EXPECT_EQ(test, hfi_programmed(), 0);
	KUNIT_EXPECT_EQ(test, hfi->mapped, 0);
	KUNIT_EXPECT_EQ(test, hfi->fd.tid_n_pinned, 0);
	KUNIT_EXPECT_EQ(test, hfi->fd.invalid_tid_idx, hfi->tinfo.tidcnt);

	/* Nothing is left to be done */
	KUNIT_EXPECT_FALSE(test, drivers_rehearses(test, &call).waited);
	KUNIT_EXPECT_EQ(test, hfi->fd.invalid_tid_idx, hfi->tinfo.tidcnt);
}

static void rehearsed_clear_keeps_pins(struct kunit *test)
{
	struct tid_rb_node *node = hfi_node(test);
	struct drivers_call call = hfi_call(node, MMU_NOTIFY_CLEAR);

	KUNIT_EXPECT_FALSE(test, drivers_rehearses(test, &call).waited);
	hfi_untouched(test, node);
}

static void cover_rehearse(struct kunit *test)
{
	struct drivers_call call = cover_call(hfi->cover, MMU_NOTIFY_UNMAP);

	KUNIT_EXPECT_TRUE(test, drivers_rehearses(test, &call).seq_set);
}

static void cover_rehearsed_in_setup(struct kunit *test)
{
	hfi_open(test);
	hfi->in_setup = cover_rehearse;
	KUNIT_EXPECT_EQ(test, hfi_setup(test), -EBUSY);
	KUNIT_EXPECT_EQ(test, hfi_unpinned(), 0);
}

/* A setup whose entry number @fail can't be programmed */
static void setup_fails(struct kunit *test, int fail, int first_error)
{
	int ret = hfi_setup(test);

	/* The pages may lie better than meant */
	KUNIT_ASSERT_GE(test, hfi->nodes, fail);
	KUNIT_EXPECT_EQ(test, ret, fail == 1 ? first_error : 0);
	KUNIT_EXPECT_EQ(test, hfi_programmed(), fail - 1);
	KUNIT_EXPECT_EQ(test, hfi_unpinned(), 0);
	KUNIT_EXPECT_EQ(test, hfi_unflushed(), 0);
	KUNIT_EXPECT_EQ(test, hfi_misplaced(), 0);
	KUNIT_EXPECT_EQ(test, hfi->fd.tid_used, fail - 1);
	if (!ret) {
		KUNIT_EXPECT_EQ(test, hfi->tinfo.tidcnt, fail - 1);
		KUNIT_EXPECT_EQ(test, hfi->tinfo.length, hfi->fd.tid_n_pinned * PAGE_SIZE);
	}
	/* Not by exit_mmap() but by closing the file, whose lists this is about */
	hfi->gone = true;
	hfi1_user_exp_rcv_free(&hfi->fd);
	KUNIT_EXPECT_EQ(test, hfi_programmed(), 0);
	KUNIT_EXPECT_EQ(test, hfi->mapped, 0);
	KUNIT_EXPECT_EQ(test, hfi_misplaced(), 0);
	KUNIT_ASSERT_EQ(test, hfi1_user_exp_rcv_init(&hfi->fd, &hfi->uctxt), 0);
}

/* Whatever entry can't be programmed: what the hardware reaches is pinned. */
static void setup_half_way(struct kunit *test, int fail)
{
	hfi_open(test);
	hfi->fail_map = fail;
	setup_fails(test, fail, -EFAULT);
	KUNIT_EXPECT_EQ(test, hfi->maps, fail);
}

/* Nor is it programmed if there is no memory for its node. */
static void setup_without_memory(struct kunit *test)
{
	hfi_open(test);
	hfi->fail_node = HFI_GROUP + 5;
	setup_fails(test, HFI_GROUP + 5, -ENOMEM);
	KUNIT_EXPECT_EQ(test, hfi->maps, HFI_GROUP + 4);
}

static void setup_first_without_memory(struct kunit *test)
{
	hfi_open(test);
	hfi->fail_node = 1;
	setup_fails(test, 1, -ENOMEM);
	KUNIT_EXPECT_EQ(test, hfi->maps, 0);
}

static void setup_first_fails(struct kunit *test)
{
	setup_half_way(test, 1);
}

static void setup_fails_in_group(struct kunit *test)
{
	setup_half_way(test, 5);
}

/* The first one of the second group */
static void setup_fails_at_group(struct kunit *test)
{
	setup_half_way(test, HFI_GROUP + 1);
}

/* Groups that were filled before count as well. */
static void setup_fails_in_second_group(struct kunit *test)
{
	setup_half_way(test, HFI_GROUP + 5);
}

static void setup_fails_behind_groups(struct kunit *test)
{
	setup_half_way(test, 2 * HFI_GROUP + 2);
}

static void setup_fails_at_last_group(struct kunit *test)
{
	setup_half_way(test, 2 * HFI_GROUP + 1);
}

static void setup_fails_behind_group(struct kunit *test)
{
	setup_half_way(test, HFI_GROUP + 2);
}

/* Nothing is left of a setup that failed, before anything else clears it. */
static void setup_undone(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, hfi_programmed(), 0);
	KUNIT_EXPECT_EQ(test, hfi->mapped, 0);
	KUNIT_EXPECT_EQ(test, hfi->fd.tid_used, 0);
	KUNIT_EXPECT_EQ(test, hfi->fd.tid_n_pinned, 0);
	KUNIT_EXPECT_EQ(test, hfi_misplaced(), 0);
}

/* munmap() behind the first entry, by the process itself */
static void setup_unmap(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, vm_munmap(hfi->buf, HFI_PAGES * PAGE_SIZE), 0);
}

static void setup_unmapped_is_undone(struct kunit *test)
{
	hfi_open(test);
	hfi->in_setup = setup_unmap;
	KUNIT_EXPECT_EQ(test, hfi_setup(test), -EBUSY);
	setup_undone(test);
}

/* munmap() clears the entry before it is programmed: it must not be afterwards. */
static void setup_unmapped_before_programming(struct kunit *test)
{
	hfi_open(test);
	hfi->inserted = setup_unmap;
	KUNIT_EXPECT_EQ(test, hfi_setup(test), -EBUSY);
	KUNIT_EXPECT_NULL(test, hfi->inserted);
	KUNIT_EXPECT_EQ(test, hfi_unpinned(), 0);
	setup_undone(test);
}

/* munmap() has the lock of an entry, and takes a while; the process is killed. */
static struct hfi_holder setup_holder;

static void setup_kill(struct kunit *test)
{
	setup_holder.until_wanted = true;
	setup_holder.wanted = false;
	hfi_hold(test, &setup_holder, &hfi->inserted_node->invalidate_mutex);
	allow_signal(SIGKILL);
	send_sig(SIGKILL, current, 1);
}

/* That must not end the wait: the entry would be programmed without the lock. */
static void setup_killed_waits(struct kunit *test)
{
	hfi_open(test);
	hfi->inserted = setup_kill;
	KUNIT_EXPECT_EQ(test, hfi_setup(test), 0);
	KUNIT_EXPECT_TRUE(test, signal_pending(current));
	flush_signals(current);
	disallow_signal(SIGKILL);
	hfi_drop(&setup_holder);
	KUNIT_EXPECT_TRUE(test, setup_holder.wanted);
	KUNIT_EXPECT_EQ(test, hfi_programmed(), HFI_PAGES);
	KUNIT_EXPECT_EQ(test, hfi_unpinned(), 0);
}

static void setup_list_unwritable_is_undone(struct kunit *test)
{
	hfi_open(test);
	/* Nobody maps anything there */
	hfi->tidlist = TASK_SIZE_MAX - PAGE_SIZE;
	KUNIT_EXPECT_EQ(test, hfi_setup(test), -EFAULT);
	setup_undone(test);
}

/* More TIDs than a byte can count */
static void setup_of_many_is_undone(struct kunit *test)
{
	hfi_open_large(test, HFI_MAX_ENTRIES, 300);
	hfi->tidlist = TASK_SIZE_MAX - PAGE_SIZE;
	KUNIT_EXPECT_EQ(test, hfi_setup(test), -EFAULT);
	KUNIT_EXPECT_EQ(test, hfi->maps, 300);
	setup_undone(test);
}

/* Two files of a context: one is closed, and the other one's groups are as before */
static void close_keeps_groups_of_others(struct kunit *test)
{
	struct hfi1_filedata *other;

	hfi_node(test);
	KUNIT_EXPECT_EQ(test, hfi->uctxt.tid_full_list.count, 2);
	KUNIT_EXPECT_EQ(test, hfi->uctxt.tid_used_list.count, 1);
	other = kunit_kzalloc(test, sizeof(*other), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, other);
	other->dd = hfi->dd;
	other->uctxt = &hfi->uctxt;
	other->subctxt = 1;
	spin_lock_init(&other->tid_lock);
	spin_lock_init(&other->invalid_lock);
	KUNIT_ASSERT_EQ(test, hfi1_user_exp_rcv_init(other, &hfi->uctxt), 0);
	hfi1_user_exp_rcv_free(other);
	KUNIT_EXPECT_EQ(test, hfi_misplaced(), 0);
	KUNIT_EXPECT_EQ(test, hfi->uctxt.tid_full_list.count, 2);
	KUNIT_EXPECT_EQ(test, hfi->uctxt.tid_used_list.count, 1);
	KUNIT_EXPECT_EQ(test, hfi_programmed(), hfi->tinfo.tidcnt);
}

/* By closing the file, and not by exit_mmap(), which takes longer to come */
static void hfi_close_now(struct kunit *test)
{
	hfi->gone = true;
	hfi1_user_exp_rcv_free(&hfi->fd);
	KUNIT_EXPECT_EQ(test, hfi_programmed(), 0);
	KUNIT_ASSERT_EQ(test, hfi1_user_exp_rcv_init(&hfi->fd, &hfi->uctxt), 0);
}

/* munmap() of the buffer by another thread, which calls whoever is registered */
static void hfi_unmap_buffer(struct mm_struct *mm)
{
	/* That of drivers_call() */
	mmap_read_unlock(mm);
	/* Or munmap() itself may be killed */
	flush_signals(current);
	kthread_use_mm(mm);
	vm_munmap(hfi->buf, HFI_PAGES * PAGE_SIZE);
	kthread_unuse_mm(mm);
	mmap_read_lock(mm);
}

/*
 * Whatever notifiers the file has at the moment, as the core finds them. It waits
 * for the callback when one of them is removed; here the lock of the nodes keeps
 * them. A blocking call is left to the core.
 */
static bool hfi_stand_in(struct mmu_interval_notifier *notifier,
			 const struct mmu_notifier_range *range, unsigned long seq)
{
	bool ret = true;
	int i;

	if (mmu_notifier_range_blockable(range)) {
		hfi->unmapped = true;
		hfi_unmap_buffer(range->mm);
		return true;
	}
	for (i = 0; i < hfi->uctxt.expected_count; i++)
		if (hfi->fd.entry_to_rb[i])
			ret &= tid_mn_ops.invalidate(&hfi->fd.entry_to_rb[i]->notifier,
						     range, seq);
	return ret;
}

static const struct mmu_interval_notifier_ops hfi_stand_in_ops = {
	.invalidate = hfi_stand_in,
};

/* TID_FREE, by its list */
static int hfi_clear(unsigned long tidlist, u32 tidcnt)
{
	struct hfi1_tid_info info = { .tidlist = tidlist, .tidcnt = tidcnt };
	int ret = hfi1_user_exp_rcv_clear(&hfi->fd, &info);

	hfi->tinfo.tidcnt = info.tidcnt;
	return ret;
}

static void clear_some_and_the_rest(struct kunit *test)
{
	u32 tidcnt;

	hfi_node(test);
	tidcnt = hfi->tinfo.tidcnt;
	KUNIT_ASSERT_GT(test, tidcnt, 3);
	KUNIT_EXPECT_EQ(test, hfi_clear(hfi->tidlist, 3), 0);
	KUNIT_EXPECT_EQ(test, hfi->tinfo.tidcnt, 3);
	KUNIT_EXPECT_EQ(test, hfi->fd.tid_used, tidcnt - 3);
	/* Under the lock, or a setup at the same time counts wrong. */
	KUNIT_EXPECT_EQ(test, hfi->used_at_lock, tidcnt);
	KUNIT_EXPECT_EQ(test, hfi->used_at_unlock, tidcnt - 3);
	KUNIT_EXPECT_EQ(test, hfi_programmed(), tidcnt - 3);
	KUNIT_EXPECT_EQ(test, hfi_misplaced(), 0);
	KUNIT_EXPECT_EQ(test, hfi_unpinned(), 0);
	/* As many as there are */
	KUNIT_EXPECT_EQ(test, hfi_clear(hfi->tidlist + 3 * sizeof(u32), tidcnt - 3), 0);
	KUNIT_EXPECT_EQ(test, hfi->tinfo.tidcnt, tidcnt - 3);
	KUNIT_EXPECT_EQ(test, hfi->fd.tid_used, 0);
	KUNIT_EXPECT_EQ(test, hfi_programmed(), 0);
	KUNIT_EXPECT_EQ(test, hfi->fd.tid_n_pinned, 0);
	KUNIT_EXPECT_EQ(test, hfi_misplaced(), 0);
}

static void clear_refuses(struct kunit *test)
{
	u32 tidcnt;

	hfi_node(test);
	tidcnt = hfi->tinfo.tidcnt;
	/* More than there are, a list that can't be read */
	KUNIT_EXPECT_EQ(test, hfi_clear(hfi->tidlist, tidcnt + 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, hfi_clear(TASK_SIZE_MAX - PAGE_SIZE, 1), -EFAULT);
	KUNIT_EXPECT_EQ(test, hfi_programmed(), tidcnt);
	KUNIT_EXPECT_EQ(test, hfi->fd.tid_used, tidcnt);
	/* One that is not in use: those in front of it are cleared. */
	KUNIT_EXPECT_EQ(test, hfi_clear(hfi->tidlist, 1), 0);
	KUNIT_EXPECT_NE(test, hfi_clear(hfi->tidlist, 2), 0);
	KUNIT_EXPECT_EQ(test, hfi->tinfo.tidcnt, 0);
	KUNIT_EXPECT_EQ(test, hfi_programmed(), tidcnt - 1);
	KUNIT_EXPECT_EQ(test, hfi->fd.tid_used, tidcnt - 1);
}

/* The task that frees TIDs may have been killed: that does not end the wait for exp_mutex. */
static void clear_by_a_killed_process(struct kunit *test)
{
	hfi_node(test);
	allow_signal(SIGKILL);
	send_sig(SIGKILL, current, 1);
	KUNIT_EXPECT_EQ(test, hfi_clear(hfi->tidlist, hfi->tinfo.tidcnt), 0);
	KUNIT_EXPECT_TRUE(test, signal_pending(current));
	flush_signals(current);
	disallow_signal(SIGKILL);
	KUNIT_EXPECT_EQ(test, hfi_programmed(), 0);
	KUNIT_EXPECT_EQ(test, hfi->fd.tid_used, 0);
}

/* The first entry fails that would be in a group which is used in part: that stays so. */
static void setup_fails_in_used_group(struct kunit *test)
{
	struct tid_rb_node *node = hfi_node(test);
	struct hfi1_tid_info info = {
		.vaddr = hfi->buf, .length = PAGE_SIZE, .tidlist = hfi->tidlist,
	};

	KUNIT_EXPECT_EQ(test, hfi->uctxt.tid_used_list.count, 1);
	hfi->maps = 0;
	hfi->fail_map = 1;
	KUNIT_EXPECT_EQ(test, hfi1_user_exp_rcv_setup(&hfi->fd, &info), -EFAULT);
	KUNIT_EXPECT_EQ(test, hfi->maps, 1);
	KUNIT_EXPECT_EQ(test, hfi_misplaced(), 0);
	KUNIT_EXPECT_EQ(test, hfi->uctxt.tid_used_list.count, 1);
	KUNIT_EXPECT_EQ(test, hfi->fd.tid_used, hfi->tinfo.tidcnt);
	hfi_untouched(test, node);
	hfi_close_now(test);
}

/* The free group comes first, though another one is used in part. */
static void setup_twice(struct kunit *test)
{
	u32 first;

	hfi_node(test);
	first = hfi->tinfo.tidcnt;
	hfi->maps = 0;
	hfi->fail_map = 3;
	KUNIT_EXPECT_EQ(test, hfi_setup(test), 0);
	KUNIT_EXPECT_EQ(test, hfi_misplaced(), 0);
	KUNIT_EXPECT_EQ(test, hfi_unpinned(), 0);
	KUNIT_EXPECT_EQ(test, hfi_unflushed(), 0);
	KUNIT_EXPECT_EQ(test, hfi->tinfo.tidcnt, 2);
	KUNIT_EXPECT_EQ(test, hfi->fd.tid_used, first + 2);
	KUNIT_EXPECT_EQ(test, hfi_programmed(), first + 2);
}

/*
 * Meanwhile another thread frees two TIDs of the setup: one of a full group, and the
 * one that its own setup gets then.
 */
#define SETUP_FREED	2
#define SETUP_TAKEN	(2 * HFI_GROUP + 1)

static void setup_free_and_take(struct kunit *test)
{
	u32 __user *list = (u32 __user *)hfi->tidlist;
	struct hfi1_tid_info info = { .length = PAGE_SIZE, .tidlist = hfi->tidlist };

	KUNIT_ASSERT_EQ(test, put_user(create_tid(SETUP_FREED, 1), list), 0);
	KUNIT_ASSERT_EQ(test, put_user(create_tid(SETUP_TAKEN, 1), list + 1), 0);
	KUNIT_EXPECT_EQ(test, hfi_clear(hfi->tidlist, 2), 0);
	KUNIT_EXPECT_EQ(test, hfi_programmed(), HFI_PAGES - 2);

	info.vaddr = hfi->other;
	KUNIT_EXPECT_EQ(test, hfi1_user_exp_rcv_setup(&hfi->fd, &info), 0);
	KUNIT_EXPECT_EQ(test, info.tidcnt, 1);
	KUNIT_EXPECT_EQ(test, hfi->entries[SETUP_TAKEN].pages, 1);
}

/* All that is left of it is undone, and nothing of the other one's. */
static void setup_freed_by_another_is_undone(struct kunit *test)
{
	hfi_open(test);
	hfi_new_buffer(test);
	hfi->other = kunit_vm_mmap(test, NULL, 0, PAGE_SIZE, PROT_READ | PROT_WRITE,
				   MAP_ANONYMOUS | MAP_PRIVATE, 0);
	KUNIT_ASSERT_NE(test, hfi->other, 0);
	hfi->tinfo.tidlist = TASK_SIZE_MAX - PAGE_SIZE;
	hfi->programmed = setup_free_and_take;
	KUNIT_EXPECT_EQ(test, hfi1_user_exp_rcv_setup(&hfi->fd, &hfi->tinfo), -EFAULT);
	KUNIT_EXPECT_NULL(test, hfi->programmed);
	KUNIT_EXPECT_EQ(test, hfi->entries[SETUP_TAKEN].pages, 1);
	KUNIT_EXPECT_EQ(test, hfi_programmed(), 1);
	KUNIT_EXPECT_EQ(test, hfi->mapped, 1);
	KUNIT_EXPECT_EQ(test, hfi->fd.tid_used, 1);
	KUNIT_EXPECT_EQ(test, hfi->fd.tid_n_pinned, 1);
	KUNIT_EXPECT_EQ(test, hfi_misplaced(), 0);
	KUNIT_EXPECT_EQ(test, hfi_unpinned(), 0);
	hfi_close_now(test);
}

/* Four pages that lie one behind the other */
static void hfi_larger_set(struct kunit *test, struct page **pages)
{
	struct page *first = alloc_pages(GFP_KERNEL, 2);
	int i;

	KUNIT_ASSERT_NOT_NULL(test, first);
	split_page(first, 2);
	for (i = 0; i < 4; i++) {
		/* As if they had been pinned, by which they are freed again */
		pages[i] = first + i;
		folio_ref_add(page_folio(pages[i]), GUP_PIN_COUNTING_BIAS - 1);
		hfi->fd.tid_n_pinned++;
		atomic64_inc(&hfi->mm->pinned_vm);
	}
}

/* They are one entry, which has their order. */
static void setup_of_a_larger_set(struct kunit *test)
{
	struct tid_user_buf buf = {};
	struct page *first, *pages[4];
	struct tid_group *grp;
	struct hfi_entry *entry;

	hfi_open(test);
	hfi_new_buffer(test);
	hfi_larger_set(test, pages);
	first = pages[0];
	buf.vaddr = hfi->buf;
	buf.pages = pages;
	grp = list_first_entry(&hfi->uctxt.tid_group_list.list, struct tid_group, list);
	mutex_lock(&hfi->uctxt.exp_mutex);
	KUNIT_EXPECT_EQ(test, set_rcvarray_entry(&hfi->fd, &buf, grp->base, grp, 0, 4), 0);
	tid_group_move(grp, &hfi->uctxt.tid_group_list, &hfi->uctxt.tid_used_list);
	grp->used = 1;
	grp->map = 1;
	mutex_unlock(&hfi->uctxt.exp_mutex);
	entry = &hfi->entries[grp->base - HFI_BASE];
	KUNIT_EXPECT_EQ(test, entry->pages, 4);
	KUNIT_EXPECT_EQ(test, entry->pfn, page_to_pfn(first));
	KUNIT_EXPECT_EQ(test, hfi_unpinned(), 0);
	hfi_close_now(test);
	KUNIT_EXPECT_EQ(test, hfi->fd.tid_n_pinned, 0);
}

/* Or two entries. Pages are counted: those that are not covered are unpinned. */
static void setup_counts_pages(struct kunit *test)
{
	struct tid_pageset sets[] = { { .idx = 0, .count = 2 }, { .idx = 2, .count = 2 } };
	struct tid_user_buf *buf;
	unsigned int tididx = 0, mapped = 0;
	struct page *pages[4];
	struct tid_group *grp;
	u32 tidlist[2] = {};

	hfi_open(test);
	hfi_new_buffer(test);
	hfi_larger_set(test, pages);
	buf = kunit_kzalloc(test, sizeof(*buf) + sizeof(sets), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, buf);
	drivers_set_psets(buf, sets);
	buf->vaddr = hfi->buf;
	buf->pages = pages;
	mutex_lock(&hfi->uctxt.exp_mutex);
	grp = tid_group_pop(&hfi->uctxt.tid_group_list);
	KUNIT_EXPECT_EQ(test, program_rcvarray(&hfi->fd, buf, grp, 2, tidlist, &tididx,
					       &mapped), 2);
	tid_group_add_tail(grp, &hfi->uctxt.tid_used_list);
	mutex_unlock(&hfi->uctxt.exp_mutex);
	KUNIT_EXPECT_EQ(test, tididx, 2);
	KUNIT_EXPECT_EQ(test, mapped, 4);
	KUNIT_EXPECT_EQ(test, hfi_programmed(), 2);
	KUNIT_EXPECT_EQ(test, hfi->entries[grp->base - HFI_BASE].pages, 2);
	KUNIT_EXPECT_EQ(test, hfi_unpinned(), 0);
	hfi_close_now(test);
	KUNIT_EXPECT_EQ(test, hfi->fd.tid_n_pinned, 0);
}

/* Paths, interrupted */

static void setup_interrupted(struct kunit *test)
{
	struct drivers_call call;
	int ret;

	hfi_open(test);
	hfi_new_buffer(test);
	call = cover_call(NULL, MMU_NOTIFY_UNMAP);
	call.state = DRIVERS_BUSY;
	call.interval = &hfi->stand_in;
	call.interval_ops = &hfi_stand_in_ops;
	drivers_path(test, "hfi1_user_exp_rcv_setup", &call);
	ret = hfi1_user_exp_rcv_setup(&hfi->fd, &hfi->tinfo);
	drivers_path_end(test);
	/* Nothing but munmap() makes it fail. */
	if (!hfi->unmapped)
		KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_EXPECT_EQ(test, hfi_unpinned(), 0);
	KUNIT_EXPECT_EQ(test, hfi_misplaced(), 0);
	hfi_close_now(test);
}

static void clear_interrupted(struct kunit *test)
{
	struct tid_rb_node *node = hfi_node(test);
	struct drivers_call call = hfi_call(node, MMU_NOTIFY_UNMAP);

	call.interval = &hfi->stand_in;
	call.interval_ops = &hfi_stand_in_ops;
	drivers_path(test, "hfi1_user_exp_rcv_clear", &call);
	KUNIT_EXPECT_EQ(test, hfi_clear(hfi->tidlist, hfi->tinfo.tidcnt), 0);
	drivers_path_end(test);
	KUNIT_EXPECT_EQ(test, hfi_misplaced(), 0);
	hfi_close_now(test);
}

/* munmap() by a thread of the process */
static void invalidation_interrupted(struct kunit *test)
{
	struct tid_rb_node *node = hfi_node(test);
	struct drivers_call call = hfi_call(node, MMU_NOTIFY_UNMAP);

	drivers_path(test, "tid_rb_invalidate", &call);
	drivers_blocks_here(test, &call);
	drivers_path_end(test);
	/* Two at a time may report the entry twice; they clear and unpin it once. */
	KUNIT_EXPECT_TRUE(test, node->freed);
	KUNIT_EXPECT_EQ(test, hfi->entries[node->rcventry - HFI_BASE].pages, 0);
	KUNIT_EXPECT_EQ(test, hfi->fd.tid_n_pinned, HFI_PAGES - node->npages);
	KUNIT_EXPECT_EQ(test, hfi->mapped, hfi->tinfo.tidcnt - 1);
	KUNIT_EXPECT_EQ(test, hfi_unpinned(), 0);
	hfi_close_now(test);
}

static struct kunit_case hfi1_cases[] = {
	KUNIT_CASE(tid_clear_keeps_pins),
	KUNIT_CASE(tid_unmap_keeps_pins),
	KUNIT_CASE(tid_any_event_keeps_pins),
	KUNIT_CASE(tid_held),
	KUNIT_CASE(tid_folio_locked),
	KUNIT_CASE(tid_freed_succeeds),
	KUNIT_CASE(tid_ignored_then_blocking),
	KUNIT_CASE(tid_ignored_then_unmapped),
	KUNIT_CASE(tid_ignored_then_exit),
	KUNIT_CASE(cover_never_waits),
	KUNIT_CASE(cover_reaped_in_setup),
	KUNIT_CASE(cover_unmapped_in_setup),
	KUNIT_CASE(rehearsed),
	KUNIT_CASE(rehearsed_clear_keeps_pins),
	KUNIT_CASE(cover_rehearsed_in_setup),
	KUNIT_CASE(setup_first_fails),
	KUNIT_CASE(setup_fails_in_group),
	KUNIT_CASE(setup_fails_at_group),
	KUNIT_CASE(setup_fails_behind_group),
	KUNIT_CASE(setup_fails_in_second_group),
	KUNIT_CASE(setup_fails_behind_groups),
	KUNIT_CASE(setup_fails_at_last_group),
	KUNIT_CASE(setup_without_memory),
	KUNIT_CASE(setup_first_without_memory),
	KUNIT_CASE(setup_unmapped_is_undone),
	KUNIT_CASE(setup_unmapped_before_programming),
	KUNIT_CASE(setup_killed_waits),
	KUNIT_CASE(setup_list_unwritable_is_undone),
	KUNIT_CASE(setup_of_many_is_undone),
	KUNIT_CASE(setup_freed_by_another_is_undone),
	KUNIT_CASE(setup_fails_in_used_group),
	KUNIT_CASE(setup_of_a_larger_set),
	KUNIT_CASE(setup_counts_pages),
	KUNIT_CASE(close_keeps_groups_of_others),
	KUNIT_CASE(clear_some_and_the_rest),
	KUNIT_CASE(clear_refuses),
	KUNIT_CASE(clear_by_a_killed_process),
	KUNIT_CASE(setup_twice),
	KUNIT_CASE_PARAM(setup_interrupted, drivers_points),
	KUNIT_CASE_PARAM(clear_interrupted, drivers_points),
	KUNIT_CASE_PARAM(invalidation_interrupted, drivers_points),
	{}
};

DRIVERS_SUITE(hfi1, hfi1_cases);
