# cmake -DTARGET=... -DSAVED=... [-DNOW=...] -P hone-check.cmake: fails where there is no header in the source tree, or
# where it is not the one that its records give now.
if(NOT EXISTS "${SAVED}")
    message(FATAL_ERROR "hone: there is no ${SAVED}; build ${TARGET}.save and commit what it writes")
endif()
if(DEFINED NOW)
    file(READ "${SAVED}" saved)
    file(READ "${NOW}" now)
    if(NOT saved STREQUAL now)
        message(FATAL_ERROR
            "hone: ${SAVED} is stale, its records give ${NOW}; build ${TARGET}.save and commit what it writes")
    endif()
endif()
