// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM's pfn caches, virt/kvm/pfncache.c, with KVM's own notifier on a real address
 * space. A guest there is none: what runs for real is in lab/guest/victims/kvm-victim.c.
 */
#include "drivers.h"
#include <kunit/resource.h>
#include <linux/highmem.h>
#include <linux/mman.h>
#include <linux/uaccess.h>
#include "points.h"

static void gpc_wmb(void);
#undef smp_wmb
/* Where the other side of the race comes in */
#define smp_wmb()	gpc_wmb()

static void gpc_locks(spinlock_t *lock);

static __always_inline void gpc_spin_lock(spinlock_t *lock)
{
	spin_lock(lock);
	gpc_locks(lock);
}

#undef spin_lock
#define spin_lock(lock)	gpc_spin_lock(lock)

/* The kernel has its own KVM */
#undef EXPORT_SYMBOL
#define EXPORT_SYMBOL(symbol)
#undef EXPORT_SYMBOL_GPL
#define EXPORT_SYMBOL_GPL(symbol)
#include <virt/kvm/kvm_main.c>

static void *gpc_kmap(struct page *page);
static kvm_pfn_t gpc_hva_to_pfn(DRIVERS_HVA_PARAMS);
static void gpc_rmb(void);

#define kmap		gpc_kmap
#define hva_to_pfn	gpc_hva_to_pfn
#undef smp_rmb
/* And here */
#define smp_rmb()	gpc_rmb()
#include <virt/kvm/pfncache.c>
#undef hva_to_pfn
#undef kmap

#define GPC_PAGES	16

/* One at a time */
static struct gpc {
	struct kunit *test;
	struct kvm kvm;
	struct kvm_memory_slot slot;
	struct gfn_to_pfn_cache cache;
	unsigned long start;
	/* That the first lookup found, kept so that it is nobody else's by the second */
	struct page *found;
	int lookups, zapped;
	/* Lookups of page tables, after so many of which there is none, if not 0 */
	int walks, last_walk;
	/* Of the page that was looked up last, see drivers.h */
	unsigned long since;
	int page;
	/* Read barriers, and at which one the sequence moves on */
	int barriers, moves_at;
	/* Write barriers, and what others may see in front of one */
	int wmbs;
	unsigned long seq_at_wmb, count_at_wmb;
	/* When the lock of the notifiers was taken last */
	unsigned long seq_at_lock;
	/* Called once, when a refresh has looked up the page, and has not used it */
	void (*in_refresh)(void);
} *gpc;

void kvm_arch_flush_shadow_all(struct kvm *kvm)
{
}

bool kvm_unmap_gfn_range(struct kvm *kvm, struct kvm_gfn_range *range)
{
	gpc->zapped++;
	return false;
}

static void *gpc_kmap(struct page *page)
{
	void (*hook)(void) = gpc->in_refresh;

	gpc->lookups++;
	gpc->in_refresh = NULL;
	if (hook) {
		get_page(page);
		gpc->found = page;
		hook();
	}
	return page_address(page);
}

static kvm_pfn_t gpc_hva_to_pfn(DRIVERS_HVA_PARAMS)
{
	kvm_pfn_t pfn;

	if (gpc->walks++ == gpc->last_walk && gpc->last_walk)
		return KVM_PFN_ERR_FAULT;
	gpc->since = drivers_now();
	drivers_point();
	pfn = hva_to_pfn(DRIVERS_HVA_ARGS);
	drivers_point();
	return pfn;
}

/* Between what is read in front of it, and what is read behind */
static void gpc_rmb(void)
{
	barrier();
	gpc->barriers++;
	/* As if an invalidation had ended between the two reads */
	if (gpc->barriers == gpc->moves_at)
		gpc->kvm.gpc_invalidate_seq++;
}

static void gpc_wmb(void)
{
	barrier();
	if (!gpc)
		return;
	gpc->wmbs++;
	gpc->seq_at_wmb = gpc->kvm.gpc_invalidate_seq;
	gpc->count_at_wmb = gpc->kvm.mn_active_invalidate_count;
}

static void gpc_locks(spinlock_t *lock)
{
	if (gpc && lock == &gpc->kvm.mn_invalidate_lock)
		gpc->seq_at_lock = gpc->kvm.gpc_invalidate_seq;
}

static unsigned long gpc_addr(int page)
{
	return gpc->start + page * PAGE_SIZE;
}

/* As madvise(MADV_DONTNEED) does it */
static void gpc_zap(int page, int pages)
{
	struct vm_area_struct *vma;

	mmap_read_lock(current->mm);
	vma = vma_lookup(current->mm, gpc->start);
	KUNIT_EXPECT_NOT_NULL(gpc->test, vma);
	if (vma)
		zap_vma_range(vma, gpc_addr(page), pages * PAGE_SIZE);
	mmap_read_unlock(current->mm);
}

/* What the process has mapped there now */
static kvm_pfn_t gpc_pfn(int page)
{
	struct page *mapped;
	kvm_pfn_t pfn;

	if (get_user_pages_fast(gpc_addr(page), 1, FOLL_WRITE, &mapped) != 1)
		return KVM_PFN_ERR_FAULT;
	pfn = page_to_pfn(mapped);
	put_page(mapped);
	return pfn;
}

/* The cache holds no reference: what it has must not be given up. */
static int gpc_reach_given_up(void *arg, unsigned long start, unsigned long end)
{
	unsigned long addr = gpc_addr(gpc->page);

	return gpc->cache.valid && addr >= start && addr < end &&
	       drivers_given_up(addr, gpc->since);
}

static void gpc_close(void *unused)
{
	kvm_gpc_deactivate(&gpc->cache);
	mmu_notifier_unregister(&gpc->kvm.mmu_notifier, gpc->kvm.mm);
	if (gpc->found)
		put_page(gpc->found);
	cleanup_srcu_struct(&gpc->kvm.srcu);
	kvfree(gpc);
	gpc = NULL;
}

/* A VM without memory, and a mapping */
static void gpc_open(struct kunit *test)
{
	struct kvm *kvm;
	int i;

	gpc = kvzalloc(sizeof(*gpc), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, gpc);
	gpc->test = test;
	gpc->start = kunit_vm_mmap(test, NULL, 0, GPC_PAGES * PAGE_SIZE,
				   PROT_READ | PROT_WRITE,
				   MAP_ANONYMOUS | MAP_PRIVATE, 0);
	KUNIT_ASSERT_NE(test, gpc->start, 0);
	for (i = 0; i < GPC_PAGES; i++)
		KUNIT_ASSERT_EQ(test, put_user(1, (int __user *)gpc_addr(i)), 0);

	kvm = &gpc->kvm;
	kvm->mm = current->mm;
	KVM_MMU_LOCK_INIT(kvm);
	spin_lock_init(&kvm->mn_invalidate_lock);
	rcuwait_init(&kvm->mn_memslots_update_rcuwait);
	spin_lock_init(&kvm->gpc_lock);
	INIT_LIST_HEAD(&kvm->gpc_list);
	for (i = 0; i < KVM_MAX_NR_ADDRESS_SPACES; i++) {
		kvm->__memslots[i][0].hva_tree = RB_ROOT_CACHED;
		kvm->__memslots[i][0].gfn_tree = RB_ROOT;
		rcu_assign_pointer(kvm->memslots[i], &kvm->__memslots[i][0]);
	}
	KUNIT_ASSERT_EQ(test, init_srcu_struct(&kvm->srcu), 0);
	kvm->mmu_notifier.ops = &kvm_mmu_notifier_ops;
	KUNIT_ASSERT_EQ(test, mmu_notifier_register(&kvm->mmu_notifier, kvm->mm), 0);
	kvm_gpc_init(&gpc->cache, kvm);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, gpc_close, NULL), 0);
	drivers_judge(test, "kvm_mmu_notifier_invalidate_range_start", gpc_reach_given_up, NULL);
	gpc->page = 3;
}

/* Guest memory, in the mapping; to be called once */
static void gpc_add_slot(int page, int pages)
{
	struct kvm_memslots *slots = &gpc->kvm.__memslots[0][0];
	struct interval_tree_node *node = &gpc->slot.hva_node[slots->node_idx];

	gpc->slot.userspace_addr = gpc_addr(page);
	gpc->slot.npages = pages;
	node->start = gpc_addr(page);
	node->last = gpc_addr(page + pages) - 1;
	interval_tree_insert(node, &slots->hva_tree);
}

/* The cache is of the page that the process has. */
static void gpc_is_right(struct kunit *test, int page, int lookups)
{
	KUNIT_EXPECT_TRUE(test, gpc->cache.valid);
	KUNIT_EXPECT_EQ(test, gpc->cache.pfn, gpc_pfn(page));
	KUNIT_EXPECT_EQ(test, gpc->lookups, lookups);
}

static void gpc_zap_page(void)
{
	gpc_zap(3, 1);
}

/* But for the case, nobody has the page any more when the refresh is through. */
static void gpc_invalidated_in_refresh(struct kunit *test)
{
	gpc_open(test);
	gpc->in_refresh = gpc_zap_page;
	KUNIT_ASSERT_EQ(test, kvm_gpc_activate_hva(&gpc->cache, gpc_addr(3), 8), 0);
	gpc_is_right(test, 3, 2);
	KUNIT_EXPECT_EQ(test, gpc->zapped, 0);
}

/* There is guest memory, and it is elsewhere. */
static void gpc_invalidated_beside_slot(struct kunit *test)
{
	gpc_open(test);
	gpc_add_slot(8, 4);
	gpc->in_refresh = gpc_zap_page;
	KUNIT_ASSERT_EQ(test, kvm_gpc_activate_hva(&gpc->cache, gpc_addr(3), 8), 0);
	gpc_is_right(test, 3, 2);
	KUNIT_EXPECT_EQ(test, gpc->zapped, 0);
}

/* In one go with guest memory, as the whole of a VMA is */
static void gpc_zap_all(void)
{
	gpc_zap(0, GPC_PAGES);
}

static void gpc_invalidated_with_slot(struct kunit *test)
{
	gpc_open(test);
	gpc_add_slot(8, 4);
	gpc->in_refresh = gpc_zap_all;
	KUNIT_ASSERT_EQ(test, kvm_gpc_activate_hva(&gpc->cache, gpc_addr(3), 8), 0);
	gpc_is_right(test, 3, 2);
	KUNIT_EXPECT_EQ(test, gpc->zapped, 1);
}

static void gpc_invalidated_before_and_after(struct kunit *test)
{
	gpc_open(test);
	gpc_zap(3, 1);
	KUNIT_ASSERT_EQ(test, kvm_gpc_activate_hva(&gpc->cache, gpc_addr(3), 8), 0);
	gpc_is_right(test, 3, 1);

	gpc_zap(4, 1);
	KUNIT_EXPECT_TRUE(test, gpc->cache.valid);
	gpc_zap(3, 1);
	KUNIT_EXPECT_FALSE(test, gpc->cache.valid);
	KUNIT_ASSERT_EQ(test, kvm_gpc_refresh(&gpc->cache, 8), 0);
	/* It may be the same page again, which is not looked at again then */
	KUNIT_EXPECT_TRUE(test, gpc->cache.valid);
	KUNIT_EXPECT_EQ(test, gpc->cache.pfn, gpc_pfn(3));
}

static void gpc_section(unsigned long start, unsigned long end)
{
	struct mmu_notifier_range range = {
		.mm = gpc->kvm.mm, .start = start, .end = end,
		.event = MMU_NOTIFY_CLEAR, .flags = MMU_NOTIFIER_RANGE_BLOCKABLE,
	};

	kvm_mmu_notifier_ops.invalidate_range_start(&gpc->kvm.mmu_notifier, &range);
	kvm_mmu_notifier_ops.invalidate_range_end(&gpc->kvm.mmu_notifier, &range);
}

/* Each section moves the sequence on by one, whatever it concerns. */
static void gpc_sequence(struct kunit *test)
{
	unsigned long seq;

	gpc_open(test);
	gpc_add_slot(8, 4);
	seq = gpc->kvm.gpc_invalidate_seq;
	gpc->wmbs = 0;
	gpc_section(gpc_addr(0), gpc_addr(1));
	KUNIT_EXPECT_EQ(test, gpc->kvm.gpc_invalidate_seq, seq + 1);
	/* First the sequence is changed, then the count goes down. */
	KUNIT_EXPECT_EQ(test, gpc->wmbs, 1);
	KUNIT_EXPECT_EQ(test, gpc->seq_at_wmb, seq + 1);
	KUNIT_EXPECT_EQ(test, gpc->count_at_wmb, 1);
	/* Under the lock, or two that end at a time would count as one. */
	KUNIT_EXPECT_EQ(test, gpc->seq_at_lock, seq);
	gpc_section(gpc_addr(8), gpc_addr(9));
	KUNIT_EXPECT_EQ(test, gpc->kvm.gpc_invalidate_seq, seq + 2);
	KUNIT_EXPECT_EQ(test, gpc->kvm.mn_active_invalidate_count, 0);
	/* No invalidation: no retry */
	KUNIT_EXPECT_FALSE(test, mmu_notifier_retry_cache(&gpc->kvm, seq + 2));
	KUNIT_EXPECT_TRUE(test, mmu_notifier_retry_cache(&gpc->kvm, seq + 1));
	gpc->kvm.mn_active_invalidate_count++;
	KUNIT_EXPECT_TRUE(test, mmu_notifier_retry_cache(&gpc->kvm, seq + 2));
	gpc->kvm.mn_active_invalidate_count--;
	/* It may wrap around. */
	gpc->kvm.gpc_invalidate_seq = 0;
	KUNIT_EXPECT_TRUE(test, mmu_notifier_retry_cache(&gpc->kvm, ULONG_MAX));
	/* All of it counts. */
	gpc->kvm.gpc_invalidate_seq = BIT_ULL(40);
	KUNIT_EXPECT_FALSE(test, mmu_notifier_retry_cache(&gpc->kvm, BIT_ULL(40)));
	KUNIT_EXPECT_TRUE(test, mmu_notifier_retry_cache(&gpc->kvm, 0));
}

/* A VM that lives long: the refresh ends, as nothing is invalidated meanwhile. */
static void gpc_refresh_with_a_large_sequence(struct kunit *test)
{
	gpc_open(test);
	gpc->kvm.gpc_invalidate_seq = BIT_ULL(40);
	gpc->last_walk = 3;
	KUNIT_ASSERT_EQ(test, kvm_gpc_activate_hva(&gpc->cache, gpc_addr(3), 8), 0);
	gpc_is_right(test, 3, 1);
}

/*
 * An invalidation ends while a refresh is at one of its two read barriers. At the
 * first one the sequence was read already, at the second one it was not.
 */
static void gpc_ended_at_barrier(struct kunit *test, int at)
{
	gpc_open(test);
	gpc->moves_at = at;
	KUNIT_ASSERT_EQ(test, kvm_gpc_activate_hva(&gpc->cache, gpc_addr(3), 8), 0);
	gpc_is_right(test, 3, 2);
}

static void gpc_ended_at_first_barrier(struct kunit *test)
{
	gpc_ended_at_barrier(test, 1);
}

static void gpc_ended_at_second_barrier(struct kunit *test)
{
	gpc_ended_at_barrier(test, 2);
}

static void gpc_refresh_interrupted(struct kunit *test)
{
	struct drivers_call call;

	gpc_open(test);
	call = (struct drivers_call) {
		.callback = "kvm_mmu_notifier_invalidate_range_start", .state = DRIVERS_BUSY,
		.list = &gpc->kvm.mmu_notifier, .mm = gpc->kvm.mm,
		.start = gpc_addr(3), .end = gpc_addr(4),
	};
	drivers_path(test, "kvm_gpc_activate_hva", &call);
	KUNIT_EXPECT_EQ(test, kvm_gpc_activate_hva(&gpc->cache, gpc_addr(3), 8), 0);
	drivers_path_end(test);
}

static struct kunit_case kvm_cases[] = {
	KUNIT_CASE(gpc_invalidated_in_refresh),
	KUNIT_CASE(gpc_invalidated_beside_slot),
	KUNIT_CASE(gpc_invalidated_with_slot),
	KUNIT_CASE(gpc_invalidated_before_and_after),
	KUNIT_CASE(gpc_sequence),
	KUNIT_CASE(gpc_refresh_with_a_large_sequence),
	KUNIT_CASE(gpc_ended_at_first_barrier),
	KUNIT_CASE(gpc_ended_at_second_barrier),
	KUNIT_CASE_PARAM(gpc_refresh_interrupted, drivers_points),
	{}
};

DRIVERS_SUITE(kvm, kvm_cases);
