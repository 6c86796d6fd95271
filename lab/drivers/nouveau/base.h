/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory of the GPU comes in pages. */
#define lab_free_device_page(page)	nouveau_dmem_page_free(page)
#define lab_alloc_device_page(drm)	nouveau_dmem_page_alloc_locked(drm)

static inline void lab_own_page(struct page *page, struct dev_pagemap *pgmap)
{
	page->pgmap = pgmap;
}

static inline void lab_disown_page(struct page *page)
{
	page->pgmap = NULL;
	page->zone_device_data = NULL;
}

static inline void lab_fault_by_pte(struct vm_fault *vmf)
{
}
