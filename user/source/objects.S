/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The compiled probes, byte for byte, inside the program. Found by -I. */
	.section .rodata
	.balign 8
	.global fentry_object, fentry_object_end
fentry_object:
	.incbin "fentry.bpf.o"
fentry_object_end:
	.balign 8
	.global kprobe_object, kprobe_object_end
kprobe_object:
	.incbin "kprobe.bpf.o"
kprobe_object_end:
	.balign 8
	.global tracepoint_object, tracepoint_object_end
tracepoint_object:
	.incbin "tracepoint.bpf.o"
tracepoint_object_end:
	.balign 8
	.global existing_object, existing_object_end
existing_object:
	.incbin "existing.bpf.o"
existing_object_end:
	.balign 8
	.global families_fentry_object, families_fentry_object_end
families_fentry_object:
	.incbin "families_fentry.bpf.o"
families_fentry_object_end:
	.balign 8
	.global families_kprobe_object, families_kprobe_object_end
families_kprobe_object:
	.incbin "families_kprobe.bpf.o"
families_kprobe_object_end:
	.balign 8
	.global families_tracepoint_object, families_tracepoint_object_end
families_tracepoint_object:
	.incbin "families_tracepoint.bpf.o"
families_tracepoint_object_end:
	.balign 8
	.global families_existing_object, families_existing_object_end
families_existing_object:
	.incbin "families_existing.bpf.o"
families_existing_object_end:
	.section .note.GNU-stack, "", @progbits
