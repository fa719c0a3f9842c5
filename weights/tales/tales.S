/* The built-in model, as it lies in the repository. */
    .section .rodata
    .balign 64
    .global choir_tales
    .global choir_tales_end
    .hidden choir_tales
    .hidden choir_tales_end
choir_tales:
    .incbin "weights/tales/tales.gguf"
choir_tales_end:
    .byte 0
    .section .note.GNU-stack, "", %progbits
