/* The shell of the pages, as the build puts it together. */
    .section .rodata
    .global choir_page
    .global choir_page_end
    .hidden choir_page
    .hidden choir_page_end
choir_page:
    .incbin "page.html"
choir_page_end:
    .byte 0
    .section .note.GNU-stack, "", %progbits
