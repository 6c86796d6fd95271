/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory of the GPU comes in folios, here of one page. */
#define lab_free_device_page(page)	nouveau_dmem_folio_free(page_folio(page))
#define lab_alloc_device_page(drm)	nouveau_dmem_page_alloc_locked(drm, false)

static inline void lab_own_page(struct page *page, struct dev_pagemap *pgmap)
{
	page_folio(page)->pgmap = pgmap;
}

static inline void lab_disown_page(struct page *page)
{
	page_folio(page)->pgmap = NULL;
	page->zone_device_data = NULL;
}

static inline void lab_fault_by_pte(struct vm_fault *vmf)
{
	static pte_t pte;

	vmf->pte = &pte;
}
